//! Trust: with which authorities are the approvals of a domain checked here?

use std::{collections::BTreeMap, fs, path::Path};

use catalog_model::{
    ids::DomainId, reason::Reason, refusal::Refusal, time::UtcMillis, witness::Approval,
};
use catalog_proofs::approval;

/// Authorities by domain, each a certificate in PEM: our own, and those of the domains of which
/// cells are kept here.
#[derive(Debug, Default)]
pub(crate) struct Trust(BTreeMap<DomainId, Vec<String>>);

impl Trust {
    /// Reads the files, as they are at the start of the node.
    pub(crate) fn read<'a>(
        files: impl IntoIterator<Item = (&'a DomainId, &'a Path)>,
    ) -> Result<Self, std::io::Error> {
        let mut trust = Self::default();
        for (domain, file) in files {
            let each = certificates(&fs::read_to_string(file)?);
            trust.0.entry(domain.clone()).or_default().extend(each);
        }
        Ok(trust)
    }

    /// Refuses approvals that are not signed by the person in their certificate, or whose
    /// certificate no authority of the domain issued.
    pub(crate) fn check(
        &self,
        domain: &DomainId,
        approvals: &[Approval],
        now: UtcMillis,
    ) -> Result<(), Refusal> {
        let authorities = self.0.get(domain).map_or(&[][..], Vec::as_slice);
        for approval in approvals {
            approval::verify(approval, authorities, now).map_err(|rejected| {
                Refusal::new(Reason::ApprovalDiffers)
                    .fact("what", "signature or certificate")
                    .fact("what_zh", "签名或证书")
                    .fact("cause", rejected.reason())
            })?;
        }
        Ok(())
    }
}

/// The certificates in a bundle.
fn certificates(bundle: &str) -> Vec<String> {
    const END: &str = "-----END CERTIFICATE-----";
    bundle
        .split_inclusive(END)
        .filter(|part| part.contains("-----BEGIN CERTIFICATE-----") && part.ends_with(END))
        .map(|part| format!("{}\n", part.trim_start()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_has_each_certificate_once() {
        let one = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        let bundle = format!("# ours\n{one}\n{one}garbage\n");
        assert_eq!(certificates(&bundle).len(), 2);
        assert!(certificates("nothing").is_empty());
    }
}
