//! The page of errors: is every reason told, as the table in the code tells it?
//!
//! `docs/errors.md` is generated. `REWRITE=1 cargo test -p federation-tests errors_page` writes it.

use std::{env, fmt::Write as _, fs};

use catalog_model::reason::{Lang, Reason};
use federation_tests::repository::{read, root};
use luqiao_transport::status;

const PAGE: &str = "docs/errors.md";

const OPENING: &str = "\
# Errors 错误

<!-- Generated from catalog-node/model/src/reason.rs and reason/advice.rs; do not edit.
     REWRITE=1 cargo test -p federation-tests errors_page -->

Every refusal is a `google.rpc.Status`. Its `ErrorInfo` has the domain `luqiao` and one of the reasons
below; its metadata hold the facts that stand in `{braces}` and, where a rule decided, `rule` and
`rule_cited`. `LocalizedMessage` is the sentence in the language of `accept-language`. `BadRequest`
lists fields that are wrong, `RetryInfo` the time after which the same call may succeed.

每个拒绝都是一个 `google.rpc.Status`：`ErrorInfo` 给出下列原因之一，`LocalizedMessage` 是所选语言的说明，
由规则作出的拒绝在 `rule_cited` 中写明依据。

`UNAVAILABLE` says that the same call may be sent again as it is, `ABORTED` that the resource has to
be read again first, `FAILED_PRECONDITION` that something else has to change before. A call that
changes something carries a `request_id`; sent again with it, it does nothing twice.

A reason is never renamed and its name never used for something else.
";

fn page() -> String {
    let mut page = OPENING.to_owned();
    let mut line = |text: &str| writeln!(page, "{text}").expect("a string takes everything");
    for reason in Reason::ALL.iter().copied() {
        if let Some(section) = reason.section() {
            line(&format!("\n## {section}"));
        }
        line(&format!("\n### {reason}\n"));
        line(&format!("{}  ", sentence(reason.text(Lang::En), '.')));
        line(&sentence(reason.text(Lang::Zh), '。'));
        line(&format!("\n- code 代码: `{}`", code(reason)));
        let caller = |lang| reason.caller_move(lang);
        let operator = |lang| reason.operator_move(lang);
        for (who, what) in [
            ("caller: ", caller(Lang::En)),
            ("调用方：", caller(Lang::Zh)),
            ("operator: ", operator(Lang::En)),
            ("运维：", operator(Lang::Zh)),
        ] {
            if let Some(what) = what {
                line(&format!("- {who}{what}"));
            }
        }
    }
    page
}

/// The gRPC code of `reason` as other languages spell it: `FAILED_PRECONDITION`.
fn code(reason: Reason) -> String {
    let mut name = String::new();
    for letter in format!("{:?}", status::code(reason)).chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_uppercase());
    }
    name
}

/// `text` with a capital at its beginning and `stop` at its end.
fn sentence(text: &str, stop: char) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}{stop}", letters.as_str())
}

#[test]
fn the_page_of_errors_tells_what_the_table_tells() {
    let wanted = page();
    if env::var_os("REWRITE").is_some() {
        fs::write(root().join(PAGE), &wanted).expect("the page can be written");
    }
    let found = read(PAGE);
    let wrong = wanted.lines().zip(found.lines()).position(|(wanted, found)| wanted != found);
    assert!(
        wanted == found,
        "{PAGE} is not what the table says, first in line {}; REWRITE=1 writes it anew",
        wrong.unwrap_or_else(|| wanted.lines().count().min(found.lines().count())) + 1
    );
    for reason in Reason::ALL {
        let heading = format!("\n### {reason}\n");
        assert_eq!(found.matches(&heading).count(), 1, "{reason}");
    }
}
