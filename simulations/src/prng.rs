//! Chance: where does everything random in a run come from? From one seed, and from nowhere else.

/// `SplitMix64`: small, good enough for faults, and the same on every machine.
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        let mut prng = Self(seed);
        // Neighbouring seeds begin far apart.
        prng.0 = prng.draw();
        prng
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which is not empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    /// Sixteen bytes, for an id or a salt.
    pub fn bytes(&mut self) -> [u8; 16] {
        (u128::from(self.draw()) << 64 | u128::from(self.draw())).to_be_bytes()
    }

    /// A sequence of its own, so that one user of chance does not disturb another.
    pub fn fork(&mut self) -> Self {
        Self::new(self.draw())
    }
}
