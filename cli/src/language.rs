//! Language: in which of our two languages does the command speak?
//!
//! The flag `--lang` decides, else `LUQIAO_LANG`, else the locale of the terminal: one that begins
//! with `zh` means Chinese, every other English. Whatever is said is written down in both
//! languages at once ([`both!`](crate::both)), so that a sentence cannot exist in one alone.

use catalog_model::reason::Lang;

/// One sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bilingual {
    /// English.
    pub en: String,
    /// 简体中文
    pub zh: String,
}

impl Bilingual {
    /// The same text for both, for instance what a server said in the caller's language.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { en: text.clone(), zh: text }
    }

    /// The text in `lang`.
    pub fn text(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

/// A [`Bilingual`] from an English and a Chinese format string over the same variables.
#[macro_export]
macro_rules! both {
    ($en:literal, $zh:literal $(,)?) => {
        $crate::language::Bilingual { en: format!($en), zh: format!($zh) }
    };
}

/// The language of a terminal whose variables have these values, the first set one deciding.
pub fn of_locale(values: &[Option<&str>]) -> Lang {
    match values.iter().flatten().find(|value| !value.is_empty()) {
        Some(value) if value.to_ascii_lowercase().starts_with("zh") => Lang::Zh,
        _ => Lang::En,
    }
}

/// The language of this process's environment.
pub fn of_environment() -> Lang {
    let values =
        ["LUQIAO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].map(|key| std::env::var(key).ok());
    of_locale(&values.each_ref().map(Option::as_deref))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let check = |values: &[Option<&str>], expected| {
            assert_eq!(of_locale(values), expected, "{values:?}");
        };
        check(&[], Lang::En);
        check(&[None, Some("zh_CN.UTF-8")], Lang::Zh);
        check(&[Some(""), Some("zh")], Lang::Zh);
        check(&[Some("en"), Some("zh_CN.UTF-8")], Lang::En);
        check(&[Some("C.UTF-8")], Lang::En);
        check(&[Some("ZH-cn")], Lang::Zh);
    }
}
