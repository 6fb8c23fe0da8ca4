//! Paper decisions: what was decided outside the platform, as it is entered and as it is shown.

use catalog_model::{paper_decision::PaperDecision, refusal::Refusal};

use crate::{
    convert::{
        digest::digest_value,
        reading::{At, Reading},
    },
    sharing::v1 as message,
};

/// The decision as a message.
pub fn paper_decision_message(paper: &PaperDecision) -> message::PaperDecision {
    message::PaperDecision {
        document_number: paper.document_number.clone(),
        digest: paper.digest.to_vec().into(),
        date: paper.date.to_string(),
        issuing_body: paper.issuing_body.clone(),
        recorded_for: paper.recorded_for.clone(),
    }
}

/// What somebody enters of a paper. The digest has to be one of SHA-256 and the date a day; whether
/// number and names are stated and not too long is for the state to say.
pub fn read_paper_decision(
    message: &message::PaperDecision,
    field: &str,
) -> Result<PaperDecision, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let digest = digest_value(&mut reading, at.field("digest"), &message.digest);
    let date = reading.date(at.field("date"), &message.date);
    let paper = digest.zip(date).map(|(digest, date)| PaperDecision {
        document_number: message.document_number.clone(),
        digest: digest.0,
        date,
        issuing_body: message.issuing_body.clone(),
        recorded_for: message.recorded_for.clone(),
    });
    reading.finish(paper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper() -> PaperDecision {
        PaperDecision {
            document_number: "厦数函〔2026〕8号（合成）".to_owned(),
            digest: [7; 32],
            date: "2026-10-12".parse().expect("a day"),
            issuing_body: "市人民政府（合成）".to_owned(),
            recorded_for: "市大数据主管部门（合成）".to_owned(),
        }
    }

    #[test]
    fn a_paper_is_read_as_it_was_shown() {
        let shown = paper_decision_message(&paper());
        assert_eq!(read_paper_decision(&shown, "paper").expect("a paper"), paper());
    }

    #[test]
    fn a_digest_of_another_length_and_a_date_that_is_none_are_named() {
        let wrong = message::PaperDecision {
            digest: vec![7; 31].into(),
            date: "2026-02-30".to_owned(),
            ..paper_decision_message(&paper())
        };
        let refusal = read_paper_decision(&wrong, "paper").expect_err("wrong");
        let fields: Vec<&str> = refusal.fields.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(fields, ["paper.digest", "paper.date"]);
        assert_eq!(refusal.reason, catalog_model::reason::Reason::FieldInvalid);
    }
}
