//! The unified social credit code (GB 32100-2015): is this text a code that can exist?
//!
//! Eighteen characters: registering authority, kind of body, region (six digits), organization
//! code (GB 11714, with a check character of its own), check character. A code that parses is
//! well formed; whether the organization exists is for its registrar to say.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};

use crate::reason::Lang;

/// The 31 characters of the standard; a character's value is its place. No I, O, S, V, Z.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Weights of places 1–17 for the last character: powers of 3 modulo 31.
const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// Weights of places 9–16 for the organization code's check character in place 17 (GB 11714).
const ORGANIZATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// A code whose characters, structure and both check characters are right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode([u8; 18]);

impl CreditCode {
    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a credit code is ASCII")
    }

    /// Places 3–8: the GB/T 2260 code of the registering authority's region, perhaps retired.
    pub fn region(&self) -> &str {
        &self.as_str()[2..8]
    }

    /// Places 9–17: the organization code of GB 11714.
    pub fn organization_code(&self) -> &str {
        &self.as_str()[8..17]
    }
}

/// A text that is no credit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a unified social credit code: {}", .fault.text(Lang::En))]
pub struct CreditCodeError {
    /// What was given.
    pub text: String,
    /// What is wrong with it, the first fault from the left.
    pub fault: CreditCodeFault,
}

/// What can be wrong with a credit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditCodeFault {
    /// It has this many characters instead of eighteen.
    Length(usize),
    /// The character at this place, counted from 1, is not one of the standard's alphabet.
    Character(char, usize),
    /// The first character names no registering authority.
    Authority(char),
    /// Places 3–8 are not six digits.
    Region,
    /// Place 17 does not check places 9–16.
    OrganizationCheck,
    /// Place 18 does not check places 1–17.
    Check,
}

impl CreditCodeFault {
    /// The fault in words.
    pub fn text(self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Length(n), Lang::En) => format!("it has {n} characters instead of 18"),
            (Self::Length(n), Lang::Zh) => format!("共 {n} 个字符，应为 18 个"),
            (Self::Character(c, place), Lang::En) => {
                format!("`{c}` at place {place} is not a character of such codes")
            }
            (Self::Character(c, place), Lang::Zh) => format!("第 {place} 位“{c}”不是代码字符"),
            (Self::Authority(c), Lang::En) => format!("`{c}` names no registering authority"),
            (Self::Authority(c), Lang::Zh) => format!("首位“{c}”不代表任何登记管理部门"),
            (Self::Region, Lang::En) => "places 3 to 8 are not a region of six digits".to_owned(),
            (Self::Region, Lang::Zh) => "第 3 至 8 位不是六位行政区划码".to_owned(),
            (Self::OrganizationCheck, Lang::En) => {
                "the check character of the organization code (place 17) is wrong".to_owned()
            }
            (Self::OrganizationCheck, Lang::Zh) => {
                "组织机构代码校验码（第 17 位）不正确".to_owned()
            }
            (Self::Check, Lang::En) => "the check character (place 18) is wrong".to_owned(),
            (Self::Check, Lang::Zh) => "校验码（第 18 位）不正确".to_owned(),
        }
    }
}

impl FromStr for CreditCode {
    type Err = CreditCodeError;

    /// Parses a code. Lower case is taken as upper case; nothing else is corrected.
    fn from_str(text: &str) -> Result<Self, CreditCodeError> {
        parse(text).map_err(|fault| CreditCodeError { text: text.to_owned(), fault })
    }
}

fn parse(text: &str) -> Result<CreditCode, CreditCodeFault> {
    let length = text.chars().count();
    if length != 18 {
        return Err(CreditCodeFault::Length(length));
    }
    let mut code = [0; 18];
    for (place, c) in text.chars().enumerate() {
        let upper = c.to_ascii_uppercase();
        if value(upper).is_none() {
            return Err(CreditCodeFault::Character(c, place + 1));
        }
        code[place] = upper as u8;
    }
    if !matches!(code[0], b'1'..=b'9' | b'A' | b'N' | b'Y') {
        return Err(CreditCodeFault::Authority(char::from(code[0])));
    }
    if !code[2..8].iter().all(u8::is_ascii_digit) {
        return Err(CreditCodeFault::Region);
    }
    if code[16] != organization_check(&code[8..16]) {
        return Err(CreditCodeFault::OrganizationCheck);
    }
    if code[17] != check(&code[..17]) {
        return Err(CreditCodeFault::Check);
    }
    Ok(CreditCode(code))
}

fn value(c: char) -> Option<u32> {
    ALPHABET.iter().position(|a| char::from(*a) == c).map(|place| place as u32)
}

fn check(code: &[u8]) -> u8 {
    let sum: u32 =
        code.iter().zip(WEIGHTS).map(|(c, w)| value(char::from(*c)).unwrap_or(0) * w).sum();
    ALPHABET[((31 - sum % 31) % 31) as usize]
}

/// GB 11714 counts letters A = 10 … Z = 35, whatever GB 32100 leaves out of its alphabet.
fn organization_check(code: &[u8]) -> u8 {
    let sum: u32 = code
        .iter()
        .zip(ORGANIZATION_WEIGHTS)
        .map(|(c, w)| char::from(*c).to_digit(36).unwrap_or(0) * w)
        .sum();
    match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        n => b'0' + n as u8,
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreditCode({self})")
    }
}

impl<C> Encode<C> for CreditCode {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(self.as_str())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for CreditCode {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        parse(d.str()?)
            .map_err(|_| minicbor::decode::Error::message("a stored credit code is wrong"))
    }
}

#[cfg(test)]
mod tests;
