//! Stories about what ties entries together: datasets, sources, collection, transfers, objections,
//! emergencies, purchases, contracts, projects, platforms.
//!
//! A digest is written as the text of its document; `none` is a missing one.

mod shown;

use catalog_model::{
    acquisition::{Acquisition, ContractTerms},
    attribute_objection::Side,
    dataset::{DatasetKind, Period},
    document_digest::DocumentDigest,
    ids::{
        ContractId, DatasetId, EmergencyId, EntryId, ObjectionId, OrganizationId, ProjectId,
        PurchaseId, SystemId, TransferId,
    },
    name::Resource,
    paper_decision::PaperDecision,
    sharing::{LegalCitation, SharingAttribute, SharingKind},
    time::LocalDate,
};

use super::{Line, World, add, entries::citation};
use crate::{
    apply::relations::{digest_of, word_of},
    command::{
        Body, ContractStep, EmergencyContent, EmergencyStep, LinkTarget, ObjectionStep,
        PurchaseStep, RelationsCommand, TransferStep,
    },
    keys::Table,
    outcome::Outcome,
};

pub(super) fn date(text: &str) -> LocalDate {
    text.parse().expect("a date")
}

/// The digest of the document that a line names.
pub(super) fn document(line: &Line, name: &str) -> DocumentDigest {
    match line.get(name) {
        None | Some("none") => DocumentDigest([0; 32]),
        Some(text) => digest_of(text),
    }
}

fn period(line: &Line) -> Period {
    Period { from: date(line.value("from")), until: line.get("until").map(date) }
}

/// `number=… digest=… [date=…] [body=…] [for=…]`
pub(super) fn paper(line: &Line) -> PaperDecision {
    PaperDecision {
        document_number: line.or("number", "").to_owned(),
        digest: document(line, "digest").0,
        date: date(line.or("date", "2026-09-01")),
        issuing_body: line.or("body", "City Government").to_owned(),
        recorded_for: line.or("for", "City Government").to_owned(),
    }
}

/// `sharing=… [scope=…] [purpose=…]`
fn attribute(line: &Line) -> SharingAttribute {
    let text = |name: &str| line.or(name, "").to_owned();
    match kind(line.value("sharing")) {
        SharingKind::Unconditional => SharingAttribute::Unconditional,
        SharingKind::Conditional => SharingAttribute::Conditional {
            scope: text("scope"),
            purpose: text("purpose"),
            basis: None,
        },
        SharingKind::NotShared => {
            SharingAttribute::NotShared { reason: text("reason"), basis: None }
        }
    }
}

fn kind(word: &str) -> SharingKind {
    match word {
        "unconditional" => SharingKind::Unconditional,
        "conditional" => SharingKind::Conditional,
        "not_shared" => SharingKind::NotShared,
        other => panic!("`{other}` is no sharing attribute"),
    }
}

fn law(line: &Line, name: &str, otherwise: &str) -> LegalCitation {
    citation(line.or(name, otherwise))
}

macro_rules! ids {
    ($($name:ident -> $id:ty = $variant:ident;)*) => {
        $(pub(super) fn $name(&self, alias: &str) -> $id {
            match self.named(alias).resource {
                Resource::$variant(id) => id,
                other => panic!("`{alias}` is {other:?}"),
            }
        })*
    };
}

impl World {
    ids! {
        dataset_id -> DatasetId = Dataset;
        transfer_id -> TransferId = FunctionTransfer;
        objection_id -> ObjectionId = Objection;
        emergency_id -> EmergencyId = Emergency;
        purchase_id -> PurchaseId = Purchase;
        contract_id -> ContractId = Contract;
        project_id -> ProjectId = Project;
    }

    fn relate(&mut self, line: &Line, otherwise: &str, command: RelationsCommand) -> Outcome {
        self.call(line, otherwise, Body::Relations(Box::new(command)))
    }

    /// The alias of an organization.
    pub(super) fn alias_of(&self, id: OrganizationId) -> String {
        let of = Resource::Organization(id);
        let alias = self.names.iter().find(|(_, name)| name.resource == of);
        alias.map_or_else(|| id.to_string(), |(alias, _)| alias.clone())
    }

    /// `a,b,c*`: two entries and all whose names begin with `c`.
    fn entries(&self, line: &Line, name: &str) -> Vec<EntryId> {
        let mut entries = Vec::new();
        for alias in line.list(name).unwrap_or_default() {
            match alias.strip_suffix('*') {
                None => entries.push(self.entry_id(&alias)),
                Some(prefix) => {
                    let named = self.names.iter().filter(|(known, _)| known.starts_with(prefix));
                    entries.extend(named.filter_map(|(_, name)| match name.resource {
                        Resource::Entry(id) => Some(id),
                        _ => None,
                    }));
                }
            }
        }
        entries
    }

    /// `many copies provider=police count=300`: drafts `copies1`, `copies2` …
    pub(super) fn many(&mut self, line: &Line) {
        let prefix = line.subject().to_owned();
        let provider = line.value("provider").to_owned();
        let count: u32 = line.value("count").parse().expect("a number");
        let organization = self.organization_id(&provider);
        for place in 1..=count {
            let id = EntryId::from_bytes(self.draw());
            let alias = format!("{prefix}{place}");
            self.name(&alias, Resource::Entry(id));
            let body = Body::RegisterEntry {
                id,
                provider: organization,
                kind: catalog_model::organization::DataKind::GovernmentData,
                content: catalog_model::catalog_entry::EntryContent {
                    title: alias,
                    ..Default::default()
                },
            };
            self.caller = Some(self.caller(&format!("{provider}.system")));
            let outcome = self.commit(body, None, None, "");
            assert!(outcome.refusal().is_none(), "{outcome:?}");
        }
        self.say(format!("{count} drafts of {provider}"));
    }

    /// `show owners`: how many entries each provider has.
    pub(super) fn owners(&self) -> String {
        let mut owners = std::collections::BTreeMap::new();
        for entry in self.decoded::<catalog_model::catalog_entry::CatalogEntry>(Table::Entry) {
            *owners.entry(self.alias_of(entry.provider)).or_insert(0) += 1;
        }
        let each = owners.iter().map(|(owner, count)| format!("{owner} has {count} entries\n"));
        each.collect()
    }

    fn systems(&self, line: &Line, name: &str) -> Vec<SystemId> {
        let aliases = line.list(name).unwrap_or_default();
        aliases.iter().map(|alias| self.system_id(alias)).collect()
    }

    /// The system of an organization; of the authority, where there is no such organization.
    pub(super) fn system_or_authority(&self, organization: Option<OrganizationId>) -> String {
        let alias = organization.map(|id| self.alias_of(id));
        alias.map_or_else(|| self.authority(), |alias| format!("{alias}.system"))
    }

    fn authority(&self) -> String {
        format!("{}.authority.system", self.domain())
    }

    /// `dataset vehicles of=police [kind=table|file|interface] [title=…] [about=…]`
    pub(super) fn dataset(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let id = DatasetId::from_bytes(self.draw());
        self.name(&alias, Resource::Dataset(id));
        let of = line.value("of").to_owned();
        let kind = match line.or("kind", "table") {
            "table" => DatasetKind::Table,
            "file" => DatasetKind::File,
            "interface" => DatasetKind::Interface,
            other => panic!("`{other}` is no kind of dataset"),
        };
        let command = RelationsCommand::RegisterDataset {
            id,
            organization: self.organization_id(&of),
            kind,
            title: line.or("title", &alias).to_owned(),
            description: line.or("about", "").to_owned(),
        };
        self.relate(line, &format!("{of}.system"), command);
    }

    fn target(&self, line: &Line) -> LinkTarget {
        match (line.get("entry"), line.get("system")) {
            (Some(alias), None) => LinkTarget::Entry(self.entry_id(alias)),
            (None, Some(alias)) => LinkTarget::System(self.system_id(alias)),
            _ => panic!("a link has entry= or system="),
        }
    }

    /// `bind vehicles entry=plates|system=police.system from=2026-01-01 [until=…]`,
    /// `unbind vehicles entry=…|system=… until=…`
    pub(super) fn bind(&mut self, line: &Line) {
        let id = self.dataset_id(line.subject());
        let row = self.view().dataset(&self.domain(), id);
        let (version, organization) =
            row.map_or((1, None), |row| (row.version, Some(row.organization)));
        let version = super::entries::etag(line, version);
        let to = self.target(line);
        let command = if line.verb == "bind" {
            RelationsCommand::Bind { dataset: id, version, to, period: period(line) }
        } else {
            let until = date(line.value("until"));
            RelationsCommand::Unbind { dataset: id, version, from: to, until }
        };
        let by = organization
            .map_or_else(|| self.authority(), |id| format!("{}.system", self.alias_of(id)));
        self.relate(line, &by, command);
    }

    /// `delete vehicles`, `delete police.system`
    pub(super) fn delete(&mut self, line: &Line) {
        let name = self.named(line.subject());
        let manager = format!("{}.manager.system", self.domain());
        let command = match name.resource {
            Resource::Dataset(dataset) => {
                let row = self.view().dataset(&self.domain(), dataset);
                let version = super::entries::etag(line, row.map_or(1, |row| row.version));
                RelationsCommand::DeleteDataset { dataset, version }
            }
            Resource::System(organization, system) => {
                RelationsCommand::DeleteSystem { organization, system }
            }
            other => panic!("{other:?} is not deleted"),
        };
        self.relate(line, &manager, command);
    }

    /// `duties police list="register vehicles,issue licences" [etag=N]`
    pub(super) fn duties(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let organization = self.organization_id(&alias);
        let row = self.view().duties(&self.domain(), organization);
        let version = super::entries::etag(line, row.map_or(0, |list| list.version));
        let duties = line.list("list").unwrap_or_default();
        let command = RelationsCommand::StateDuties { organization, version, duties };
        self.relate(line, &format!("{alias}.system"), command);
    }

    /// `source ELEMENT department=police from=… [until=…] [basis=…] [number=… digest=…]`,
    /// `source ELEMENT end from=… until=…`
    pub(super) fn source(&mut self, line: &Line) {
        let element = line.subject().to_owned();
        let command = if line.subjects.get(1).is_some_and(|word| word == "end") {
            let (from, until) = (date(line.value("from")), date(line.value("until")));
            RelationsCommand::EndSource { element, from, until }
        } else {
            RelationsCommand::AssignSource {
                element,
                organization: self.organization_id(line.value("department")),
                period: period(line),
                basis: law(line, "basis", "List of sources|1|normative_document"),
                decision: line.get("number").map(|_| paper(line)),
            }
        };
        let authority = self.authority();
        self.relate(line, &authority, command);
    }

    /// `collect plates items=a,b [exception="title|article|rank|quote"]`, `collect index [after=…]`
    pub(super) fn collect(&mut self, line: &Line) {
        if line.subject() == "index" {
            let command = RelationsCommand::IndexPublished {
                domain: self.domain(),
                after: line.get("after").map(|alias| self.entry_id(alias)),
            };
            self.relate(line, "node", command);
            return;
        }
        let entry = self.entry_id(line.subject());
        let provider = self.view().entry(&self.domain(), entry).expect("an entry").provider;
        let command = RelationsCommand::CheckCollection {
            entry,
            items: line.list("items").unwrap_or_default(),
            exception: line.get("exception").map(citation),
        };
        let by = format!("{}.system", self.alias_of(provider));
        let outcome = self.relate(line, &by, command);
        if let Outcome::Done(_) = outcome {
            let row = self.view().collection_check(&self.domain(), entry).expect("on record");
            let overlaps: Vec<_> = row.overlaps.iter().map(ToString::to_string).collect();
            let overlaps =
                if overlaps.is_empty() { "nobody".to_owned() } else { overlaps.join(", ") };
            let rule = row.rule.map_or_else(
                || "no rule".to_owned(),
                |rule| rule.cite(catalog_model::reason::Lang::En),
            );
            self.say(format!(
                "collection is {}: shared by {overlaps} ({rule})",
                word_of(row.result)
            ));
        }
    }

    /// `transfer t draft from=police to=traffic entries=plates,… [act=…] [changed=…]`,
    /// `transfer t cosign|file|return|approve|continue [reason=…]`
    pub(super) fn transfer(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let word = line.subjects[1].as_str();
        if word == "draft" {
            let id = TransferId::from_bytes(self.draw());
            self.name(&alias, Resource::FunctionTransfer(id));
            let from = line.value("from").to_owned();
            let command = RelationsCommand::DraftTransfer {
                id,
                from: self.organization_id(&from),
                to: self.organization_id(line.value("to")),
                entries: self.entries(line, "entries"),
                act: law(line, "act", "Decision on the reform of departments|3|normative_document"),
                change_date: date(line.or("changed", "2026-09-18")),
            };
            self.relate(line, &format!("{from}.system"), command);
            return;
        }
        let transfer = self.transfer_id(&alias);
        // A step of what was refused is refused too: it is not on file.
        let row = self.view().transfer(&self.domain(), transfer);
        let from = self.system_or_authority(row.as_ref().map(|row| row.from));
        let to = self.system_or_authority(row.as_ref().map(|row| row.to));
        let (by, step) = match word {
            "cosign" => (to, TransferStep::Cosign),
            "file" => (from, TransferStep::File),
            "return" => {
                let reason = line.or("reason", "").to_owned();
                (self.authority(), TransferStep::Return { reason })
            }
            "approve" => (self.authority(), TransferStep::Approve),
            "continue" => ("node".to_owned(), TransferStep::Continue),
            other => panic!("`{other}` is no step of a transfer"),
        };
        let version = super::entries::etag(line, row.map_or(1, |row| row.version));
        self.relate(line, &by, RelationsCommand::Transfer { transfer, version, step });
    }

    /// `objection o raise entry=plates wanted=unconditional [reason=…]`,
    /// `objection o state side=provider text=…`, `objection o settle|decide sharing=… [number=…]`,
    /// `objection o escalate reason=…`
    pub(super) fn objection(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let authority = self.authority();
        if line.subjects[1] == "raise" {
            let id = ObjectionId::from_bytes(self.draw());
            self.name(&alias, Resource::Objection(id));
            let command = RelationsCommand::RaiseObjection {
                id,
                entry: self.entry_id(line.value("entry")),
                wanted: kind(line.value("wanted")),
                reason: line.or("reason", "others need the data").to_owned(),
            };
            self.relate(line, &authority, command);
            return;
        }
        let objection = self.objection_id(&alias);
        // A step of what was refused is refused too: it is not on file.
        let row = self.view().objection(&self.domain(), objection);
        let provider = self.system_or_authority(row.as_ref().map(|row| row.provider));
        let (by, step) = match line.subjects[1].as_str() {
            "state" => {
                let side = match line.value("side") {
                    "authority" => Side::Authority,
                    "provider" => Side::Provider,
                    other => panic!("`{other}` is no side"),
                };
                let by = if side == Side::Authority { authority } else { provider };
                (by, ObjectionStep::State { side, text: line.or("text", "").to_owned() })
            }
            "settle" => (authority, ObjectionStep::Settle { attribute: attribute(line) }),
            "escalate" => {
                (authority, ObjectionStep::Escalate { reason: line.or("reason", "").to_owned() })
            }
            "decide" => {
                let (attribute, decision) = (attribute(line), paper(line));
                (authority, ObjectionStep::Decide { attribute, decision })
            }
            other => panic!("`{other}` is no step of an objection"),
        };
        let version = super::entries::etag(line, row.map_or(1, |row| row.version));
        self.relate(line, &by, RelationsCommand::Objection { objection, version, step });
    }

    /// `emergency e open of=police event=… entries=… applications=… [purpose=…] [scope=…]
    /// [manner=…] [basis=…]`, `emergency e use system=… event=…`,
    /// `emergency e end|assess|treat|close [proof=…]`
    pub(super) fn emergency(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        if line.subjects[1] == "open" {
            let id = EmergencyId::from_bytes(self.draw());
            self.name(&alias, Resource::Emergency(id));
            let of = line.value("of").to_owned();
            let content = EmergencyContent {
                event: line.value("event").to_owned(),
                basis: law(line, "basis", "Emergency Response Law|52|law"),
                purpose: line.or("purpose", "to find who must leave").to_owned(),
                scope: line.or("scope", "people in the flood area").to_owned(),
                manner: line.or("manner", "lists, once a day").to_owned(),
                entries: self.entries(line, "entries"),
                applications: self.systems(line, "applications"),
            };
            let organization = self.organization_id(&of);
            let command = RelationsCommand::OpenEmergency { id, organization, content };
            self.relate(line, &format!("{of}.system"), command);
            return;
        }
        let emergency = self.emergency_id(&alias);
        // A step of what was refused is refused too: it is not on file.
        let row = self.view().emergency(&self.domain(), emergency);
        let step = match line.subjects[1].as_str() {
            "use" => EmergencyStep::Use {
                system: self.system_id(line.value("system")),
                event: line.value("event").to_owned(),
            },
            "end" => EmergencyStep::End,
            "assess" => EmergencyStep::Assess { proof: document(line, "proof") },
            "treat" => EmergencyStep::Treat { proof: document(line, "proof") },
            "close" => EmergencyStep::CloseApplications { proof: document(line, "proof") },
            other => panic!("`{other}` is no step of an emergency"),
        };
        let by = self.system_or_authority(row.as_ref().map(|row| row.organization));
        let version = super::entries::etag(line, row.map_or(1, |row| row.version));
        self.relate(line, &by, RelationsCommand::Emergency { emergency, version, step });
    }

    /// `purchase p request of=police need=… items=…`,
    /// `purchase p merge|approve|refuse|buy [into=…] [reason=…] [contract=…]`
    pub(super) fn purchase(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        if line.subjects[1] == "request" {
            let id = PurchaseId::from_bytes(self.draw());
            self.name(&alias, Resource::Purchase(id));
            let of = line.value("of").to_owned();
            let command = RelationsCommand::RequestPurchase {
                id,
                organization: self.organization_id(&of),
                need: line.or("need", "").to_owned(),
                items: line.list("items").unwrap_or_default(),
            };
            self.relate(line, &format!("{of}.system"), command);
            return;
        }
        let purchase = self.purchase_id(&alias);
        // A step of what was refused is refused too: it is not on file.
        let row = self.view().purchase(&self.domain(), purchase);
        let step = match line.subjects[1].as_str() {
            "merge" => PurchaseStep::Merge { into: self.purchase_id(line.value("into")) },
            "approve" => PurchaseStep::Approve,
            "refuse" => PurchaseStep::Refuse { reason: line.or("reason", "").to_owned() },
            "buy" => PurchaseStep::Buy { contract: document(line, "contract") },
            other => panic!("`{other}` is no step of a purchase"),
        };
        let version = super::entries::etag(line, row.map_or(1, |row| row.version));
        let authority = self.authority();
        self.relate(line, &authority, RelationsCommand::Purchase { purchase, version, step });
    }

    /// `contract c open of=police contractor=… [matter=…] [purpose=…] [scope=…] [manner=…]`,
    /// `contract c consent to=…`, `contract c process with=…`, `contract c end reason=…`,
    /// `contract c returned|deleted proof=…`
    pub(super) fn contract(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        if line.subjects[1] == "open" {
            let id = ContractId::from_bytes(self.draw());
            self.name(&alias, Resource::Contract(id));
            let of = line.value("of").to_owned();
            let text = |name: &str, otherwise: &str| line.or(name, otherwise).to_owned();
            let command = RelationsCommand::OpenContract {
                id,
                organization: self.organization_id(&of),
                contractor: line.or("contractor", "").to_owned(),
                terms: ContractTerms {
                    matter: text("matter", "counting traffic"),
                    purpose: text("purpose", "planning of crossings"),
                    scope: text("scope", "forty crossings"),
                    manner: text("manner", "by camera, without plates"),
                },
            };
            self.relate(line, &format!("{of}.system"), command);
            return;
        }
        let contract = self.contract_id(&alias);
        // A step of what was refused is refused too: it is not on file.
        let row = self.view().contract(&self.domain(), contract);
        let text = |name: &str| line.or(name, "").to_owned();
        let step = match line.subjects[1].as_str() {
            "consent" => ContractStep::ConsentSubEntrusting { to: text("to") },
            "process" => ContractStep::Process { by: text("with") },
            "end" => ContractStep::End { reason: text("reason") },
            "returned" => ContractStep::Close { returned: true, proof: document(line, "proof") },
            "deleted" => ContractStep::Close { returned: false, proof: document(line, "proof") },
            other => panic!("`{other}` is no step of a contract"),
        };
        let by = self.system_or_authority(row.as_ref().map(|row| row.organization));
        let version = super::entries::etag(line, row.map_or(1, |row| row.version));
        self.relate(line, &by, RelationsCommand::Contract { contract, version, step });
    }

    /// `acquired plates by_duty|contract=c|purchase=p|emergency=e`
    pub(super) fn acquired(&mut self, line: &Line) {
        let entry = self.entry_id(line.subject());
        let provider = self.view().entry(&self.domain(), entry).expect("an entry").provider;
        let acquisition = match (line.get("contract"), line.get("purchase"), line.get("emergency"))
        {
            (Some(alias), None, None) => Acquisition::Entrusted(self.contract_id(alias)),
            (None, Some(alias), None) => Acquisition::Purchased(self.purchase_id(alias)),
            (None, None, Some(alias)) => Acquisition::Emergency(self.emergency_id(alias)),
            _ => Acquisition::Duty,
        };
        let by = format!("{}.system", self.alias_of(provider));
        self.relate(line, &by, RelationsCommand::StateAcquisition { entry, acquisition });
    }

    /// `project p open of=police assets=a,b`, `project p list asset=0 entry=plates`,
    /// `project p accept`
    pub(super) fn project(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        if line.subjects[1] == "open" {
            let id = ProjectId::from_bytes(self.draw());
            self.name(&alias, Resource::Project(id));
            let of = line.value("of").to_owned();
            let command = RelationsCommand::OpenProject {
                id,
                organization: self.organization_id(&of),
                title: line.or("title", &alias).to_owned(),
                assets: line.list("assets").unwrap_or_default(),
            };
            self.relate(line, &format!("{of}.system"), command);
            return;
        }
        let project = self.project_id(&alias);
        // A step of what was refused is refused too: it is not on file.
        let row = self.view().project(&self.domain(), project);
        let version = super::entries::etag(line, row.as_ref().map_or(1, |row| row.version));
        if line.subjects[1] == "accept" {
            let authority = self.authority();
            self.relate(line, &authority, RelationsCommand::AcceptProject { project, version });
        } else {
            let command = RelationsCommand::ListAsset {
                project,
                version,
                asset: line.value("asset").parse().expect("a place"),
                entry: self.entry_id(line.value("entry")),
            };
            let by = self.system_or_authority(row.as_ref().map(|row| row.organization));
            self.relate(line, &by, command);
        }
    }

    /// `platform NAME of=police [cross] [migrate=…] [number=… digest=…] [exception=…]`
    pub(super) fn platform(&mut self, line: &Line) {
        let of = line.value("of").to_owned();
        let command = RelationsCommand::RecordPlatform {
            organization: self.organization_id(&of),
            title: line.subject().to_owned(),
            cross_department: line.subjects.iter().any(|word| word == "cross"),
            approval: line.get("number").map(|_| paper(line)),
            migrate_by: line.get("migrate").map(date),
            exception: line.get("exception").map(citation),
        };
        self.relate(line, &format!("{of}.system"), command);
    }
}
