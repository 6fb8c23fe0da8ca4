//! What do the texts say: for a pair on a day, on one key, and what is found in a draft?

use catalog_model::{
    organization::{DataKind, PartyClass},
    reason::{Lang, Reason},
    refusal::Refusal,
    rule_pack::{
        Explanation, PackError, Pair, RuleKey, RulePack, Standing, UnknownComposition, check,
        explain_rule,
    },
    time::LocalDate,
};
use catalog_state::law::MAX_LAW_TEXT;
use luqiao_proto::{
    convert::{
        name::domain_name,
        rule::{basis_message, explanation_message, finding_message, read_key, read_pair},
        time::read_date,
    },
    rule::v1::{
        self as message, CheckRulePackRequest, CheckRulePackResponse, ExplainRuleRequest,
        ExplainRuleResponse, FindingSeverity, ListRulesRequest, ListRulesResponse,
    },
};

use crate::services::{Call, Look, Reply, not_found};

/// Under which law somebody wants to know: what is left out is that of today and of this domain.
struct Asked {
    pair: Option<Pair>,
    date: Option<LocalDate>,
    composition: String,
    pack_version: u64,
}

impl Asked {
    fn read(
        pair: Option<&message::RulePair>,
        date: &str,
        composition: String,
        pack_version: u64,
    ) -> Result<Self, Refusal> {
        let pair = read_pair(pair, "pair")?;
        let date = if date.is_empty() { None } else { Some(read_date(date, "date")?) };
        Ok(Self { pair, date, composition, pack_version })
    }

    /// The pack, its version, and what is asked of it.
    fn of(&self, look: &Look<'_>) -> Result<(RulePack, u64, String, Pair, LocalDate), Refusal> {
        let view = look.view();
        let version = match self.pack_version {
            0 => view.rule_pack_version().unwrap_or_default(),
            version => version,
        };
        let pack = view.pack(version);
        let pack = pack.ok_or_else(|| not_found(format!("rulePacks/{version}")))?;
        let composition = match self.composition.as_str() {
            "" => look.cluster.composition.clone(),
            stated => stated.to_owned(),
        };
        let own = Pair::for_catalog(PartyClass::GovernmentDepartment, DataKind::GovernmentData);
        let date = self.date.unwrap_or_else(|| view.clock().local_date());
        Ok((pack, version, composition, self.pair.unwrap_or(own), date))
    }
}

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let request: ListRulesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let pair = request.pair.as_ref();
    let asked = Asked::read(pair, &request.date, request.composition, request.rule_pack_version)?;
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        let (pack, version, composition, pair, date) = asked.of(look)?;
        let resolution =
            pack.resolve(&composition, pair, date).map_err(|unknown| unnamed(&unknown))?;
        let rules = RuleKey::ALL.iter().filter_map(|key| {
            let explained = explain_rule(&pack, &composition, pair, date, *key).ok()?;
            spoken_to(explained).map(|explained| explanation_message(&explained, &domain, lang))
        });
        Ok(ListRulesResponse {
            rules: rules.collect(),
            basis: Some(basis_message(&resolution, version)),
        })
    })
    .await
}

/// A key on which a rule speaks to the pair, without those that say nothing to it.
fn spoken_to(mut explained: Explanation) -> Option<Explanation> {
    explained
        .rules
        .retain(|(_, _, standing)| !matches!(standing, Standing::OutOfScope | Standing::NotYet(_)));
    (!explained.rules.is_empty()).then_some(explained)
}

pub(super) async fn explain(call: &Call) -> Result<Reply, Refusal> {
    let request: ExplainRuleRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let key = read_key(&request.key, "key")?;
    let pair = request.pair.as_ref();
    let asked = Asked::read(pair, &request.date, request.composition, request.rule_pack_version)?;
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        let (pack, version, composition, pair, date) = asked.of(look)?;
        let unknown = |unknown: UnknownComposition| unnamed(&unknown);
        let resolution = pack.resolve(&composition, pair, date).map_err(unknown)?;
        let explained = explain_rule(&pack, &composition, pair, date, key).map_err(unknown)?;
        Ok(ExplainRuleResponse {
            basis: Some(basis_message(&resolution, version)),
            explanation: Some(explanation_message(&explained, &domain, lang)),
        })
    })
    .await
}

fn unnamed(unknown: &UnknownComposition) -> Refusal {
    let (name, nearest) = (&unknown.name, &unknown.nearest);
    Refusal::new(Reason::FieldInvalid).field(
        "composition",
        format!("`{name}` is no composition of the pack; the nearest is `{nearest}`"),
        format!("规则包中没有组合“{name}”，最接近的是“{nearest}”"),
    )
}

pub(super) async fn check_pack(call: &Call) -> Result<Reply, Refusal> {
    let request: CheckRulePackRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let date = match request.date.as_str() {
        "" => None,
        date => Some(read_date(date, "date")?),
    };
    short_enough(&request.json)?;
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        let today = look.view().clock().local_date();
        let date = date.unwrap_or(today);
        let in_force = look.view().pack_in_force().ok_or_else(|| not_found("rulePacks/current"))?;
        let stated = match draft(&request.json, &in_force, lang) {
            Ok(stated) => stated,
            Err(fault) => {
                return Ok(CheckRulePackResponse { findings: vec![fault], ..Default::default() });
            }
        };
        let found = check(&stated, date);
        let mut findings: Vec<message::PackFinding> =
            found.iter().map(|finding| finding_message(finding, lang)).collect();
        let composition = &look.cluster.composition;
        if let Err(unknown) = stated.resolve_own(composition, date) {
            let name = &unknown.name;
            let text = match lang {
                Lang::En => unknown.to_string(),
                Lang::Zh => format!("规则包中没有本域采用的组合“{name}”"),
            };
            findings.insert(0, fault(String::new(), text));
        }
        let refused = findings.iter().any(|found| found.severity() == FindingSeverity::Error);
        let since = stated.differs_since(&in_force, today);
        Ok(CheckRulePackResponse {
            findings,
            loadable: !refused,
            in_force: stated == in_force,
            binds_since: since.map(|day| day.to_string()).unwrap_or_default(),
        })
    })
    .await
}

/// What is too long to be loaded is not looked at either: looking takes time, too.
pub(in crate::services) fn short_enough(json: &str) -> Result<(), Refusal> {
    if json.len() <= MAX_LAW_TEXT {
        return Ok(());
    }
    Err(Refusal::new(Reason::TextTooLong)
        .fact("field", "json")
        .fact("length", json.len())
        .fact("limit", MAX_LAW_TEXT))
}

/// A draft under the rulings on record, as it would be loaded; a text that cannot be is a finding.
pub(in crate::services) fn draft(
    json: &str,
    in_force: &RulePack,
    lang: Lang,
) -> Result<RulePack, message::PackFinding> {
    let stated = RulePack::parse(json).map_err(|error| fault(rule_of(&error), error.text(lang)))?;
    if !stated.rulings().is_empty() && stated.rulings() != in_force.rulings() {
        let text = match lang {
            Lang::En => "rulings are recorded one by one, not loaded with a pack",
            Lang::Zh => "裁定应逐项记录，不得随规则包装入",
        };
        return Err(fault(String::new(), text.to_owned()));
    }
    stated.with_rulings(in_force.rulings()).map_err(|error| fault(String::new(), error.text(lang)))
}

fn rule_of(error: &PackError) -> String {
    match error {
        PackError::Rule { rule, .. } => rule.clone(),
        _ => String::new(),
    }
}

fn fault(rule: String, text: String) -> message::PackFinding {
    message::PackFinding { severity: FindingSeverity::Error.into(), rule, text }
}
