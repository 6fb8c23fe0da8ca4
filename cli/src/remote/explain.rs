//! `luqiao explain`: what was wrong with a call, and how is it made right?
//!
//! Two know something: the platform what became of a call that reached its log, this machine how the
//! call was typed and what it was told. Together they give the sentence, the rule, the wrong fields
//! and a command that can be pasted.

mod correction;

use std::io::{self, Write};

use catalog_model::reason::Lang;
use luqiao_proto::work::v1::{ExplainCallRequest, ExplainCallResponse};
use serde_json::{Value, json};

use crate::{
    both,
    calls::{self, Call},
    exit::Exit,
    failure::Failure,
};

use self::correction::{Correction, correct, pasteable};
use super::Remote;

/// What is known of a call.
struct Known {
    request_id: String,
    call: Option<Call>,
    told: Option<ExplainCallResponse>,
}

/// `luqiao explain`.
pub async fn explain(remote: &Remote, request_id: Option<String>) -> Result<Exit, Failure> {
    let calls = calls::file().map_or_else(Vec::new, |file| calls::read(&file));
    let call = match &request_id {
        Some(id) => calls.into_iter().find(|call| call.request_id == *id),
        None => calls.into_iter().rfind(|call| call.refusal.is_some()),
    };
    let Some(request_id) = request_id.or_else(|| call.as_ref().map(|c| c.request_id.clone()))
    else {
        return Err(Failure::usage(both!(
            "no refused call is remembered here; name its request id",
            "本机没有被拒绝的调用记录；请写明请求标识"
        )));
    };
    let session = &remote.session;
    let question =
        ExplainCallRequest { parent: session.parent(), call_request_id: request_id.clone() };
    let told = match session.work().explain_call(session.call(question)).await {
        Ok(told) => Some(told.into_inner()),
        Err(status) => {
            let failure = Failure::call(&status);
            // It never reached the log, or too long ago; then only this machine knows of it.
            if failure.exit != Exit::NotFound || call.is_none() {
                return Err(failure);
            }
            None
        }
    };
    let known = Known { request_id, call, told };
    remote.output.data(&known.json(remote.output.lang), |out, lang| known.write(out, lang))?;
    Ok(Exit::Ok)
}

impl Known {
    fn reason(&self) -> &str {
        let told = self.told.as_ref().map(|told| told.reason.as_str());
        let remembered = self.call.as_ref().and_then(|call| call.refusal.as_ref());
        told.or_else(|| remembered.map(|refusal| refusal.reason.as_str())).unwrap_or_default()
    }

    fn done(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.done)
    }

    /// Path and what is wrong, of every wrong field.
    fn fields(&self) -> Vec<(String, String)> {
        if let Some(told) = &self.told {
            let fields = told.fields.iter();
            return fields.map(|wrong| (wrong.field.clone(), wrong.description.clone())).collect();
        }
        let remembered = self.call.as_ref().and_then(|call| call.refusal.as_ref());
        remembered.map_or_else(Vec::new, |refusal| refusal.fields.clone())
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.told.as_ref()?.facts.get(name).map(String::as_str)
    }

    fn correction(&self) -> Option<Correction> {
        let call = self.call.as_ref().filter(|_| !self.done() && !self.reason().is_empty())?;
        let fields = self.fields();
        Some(correct(&call.arguments, self.reason(), &fields, &|name| self.fact(name)))
    }

    fn json(&self, lang: Lang) -> Value {
        let told = self.told.as_ref();
        let remembered = self.call.as_ref().and_then(|call| call.refusal.as_ref());
        let message = told
            .map(|told| told.message.clone())
            .or_else(|| remembered.map(|refusal| refusal.message(lang).to_owned()));
        let advice = told
            .map(|told| told.advice.clone())
            .or_else(|| remembered.map(|refusal| refusal.advice(lang).to_owned()));
        let fields: Vec<Value> = self
            .fields()
            .iter()
            .map(|(field, wrong)| json!({"field": field, "description": wrong}))
            .collect();
        let correction = self.correction();
        let commands = correction.as_ref().map(Correction::commands).unwrap_or_default();
        let typed = self.call.as_ref().map(|call| pasteable(&call.arguments));
        json!({
            "request_id": self.request_id,
            "done": self.done(),
            "resource": told.map(|told| told.resource.clone()).unwrap_or_default(),
            "reason": self.reason(),
            "message": message.unwrap_or_default(),
            "advice": advice.unwrap_or_default(),
            "rule": told.and_then(|told| told.rule.as_ref()).map(|rule| rule.id.clone()),
            "quote": told.and_then(|told| told.rule.as_ref()).map(|rule| rule.quote.clone()),
            "fields": fields,
            "typed": typed,
            "corrected": commands,
            "known_to_the_platform": told.is_some(),
        })
    }

    fn write(&self, out: &mut dyn Write, lang: Lang) -> io::Result<()> {
        let say = |en: &'static str, zh: &'static str| match lang {
            Lang::En => en,
            Lang::Zh => zh,
        };
        if let Some(call) = &self.call {
            writeln!(out, "{}: {}", say("you typed", "原命令"), pasteable(&call.arguments))?;
        }
        if self.done() {
            let resource = self.told.as_ref().map_or("", |told| told.resource.as_str());
            writeln!(out, "{} {resource}", say("it was done:", "已生效："))?;
            return Ok(());
        }
        let value = self.json(lang);
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        if self.reason().is_empty() {
            return writeln!(
                out,
                "{}",
                say(
                    "the platform knows no outcome of it; repeat it with the same --request-id",
                    "平台没有该调用的结果；请以相同的 --request-id 重复执行"
                )
            );
        }
        writeln!(out, "{}: {} [{}]", say("refused", "被拒绝"), text("message"), self.reason())?;
        if let Some(rule) = self.told.as_ref().and_then(|told| told.rule.as_ref())
            && !rule.quote.is_empty()
        {
            writeln!(out, "{}: {}", say("the rule says", "规则原文"), rule.quote)?;
        }
        for (field, wrong) in self.fields() {
            writeln!(out, "  {field}: {wrong}")?;
        }
        if !text("advice").is_empty() {
            writeln!(out, "{}: {}", say("what to do", "处理办法"), text("advice"))?;
        }
        if self.told.is_none() {
            writeln!(
                out,
                "{}",
                say(
                    "(told by this machine: the call never reached the platform's log)",
                    "（以上为本机记录：该调用未进入平台日志）"
                )
            )?;
        }
        if let Some(correction) = self.correction() {
            writeln!(out, "{}", correction.note.text(lang))?;
            for command in correction.commands() {
                writeln!(out, "  {command}")?;
            }
        }
        Ok(())
    }
}
