//! Callers who should not be there, or not like this: what stops them before anything is read?

use bytes::Bytes;
use catalog_model::reason::Reason;
use federation_tests::{
    command_line,
    federation::Part,
    raw,
    role::{Role, call, channel},
    strangers::{Claim, Forger, named, without_certificate},
};
use luqiao::{
    context::Context,
    dev::cast::{DEPARTMENT, Level, OTHER_DEPARTMENT},
};
use luqiao_proto::catalog::v1::GetEntryRequest;
use luqiao_transport::{dial::DialError, handshake::Cause, identity::Subject};
use tonic::Status;

use super::{Stage, refused};

const GET_ENTRY: &str = "/luqiao.catalog.v1.CatalogService/GetEntry";

pub(super) async fn refused(stage: &Stage) {
    certificates(stage).await;
    kinds_of_callers(stage).await;
    frames(stage).await;
}

fn any_entry(stage: &Stage) -> GetEntryRequest {
    let name = format!("{}/entries/01JD0000000000000000000009", stage.asker.domain());
    GetEntryRequest { name, ..Default::default() }
}

/// Why the handshake failed.
fn handshake(status: &Status) -> Cause {
    match DialError::find(status) {
        Some(DialError::Handshake { source, .. }) => source.cause,
        other => panic!("no handshake failed: {other:?}, {status:?}"),
    }
}

async fn certificates(stage: &Stage) {
    let (topology, city) = (&stage.city.topology, Level::City);
    let folder = topology.folder.as_path();
    let system = named(city, federation_tests::federation::seat(city, DEPARTMENT).system_subject());

    let stranger = without_certificate(topology, city);
    let answer = raw::send(stranger, GET_ENTRY, call(Bytes::new())).await;
    stage.note(GET_ENTRY, Reason::CertificateMissing, answer);

    // A certificate of another authority that claims to be one of ours.
    let claim = Claim { name: Some(system.clone()), until_year: 2119 };
    let other = Forger::new("nobody's authority");
    let context = other.context(topology, city, folder, "other-authority", &claim);
    let said = refused_at_the_door(stage, "other-authority", &context).await;
    assert_eq!(said, Cause::UnknownAuthority);

    // One of ours whose time is over.
    let claim = Claim { name: Some(system), until_year: 2020 };
    let context = stage.authority_of_the_city.context(topology, city, folder, "expired", &claim);
    let said = refused_at_the_door(stage, "expired", &context).await;
    assert_eq!(said, Cause::CertificateExpired);
    let log = stage.city.said(Part::Gateway(city));
    assert!(log.contains("expired"), "the gateway says why: {log}");

    // One of an authority that the gateway knows, with a name that it does not.
    let claim = Claim { name: None, until_year: 2119 };
    let context = stage.government.context(topology, city, folder, "unlisted", &claim);
    let answer = raw::send(channel(&context, &city.domain()), GET_ENTRY, call(Bytes::new())).await;
    stage.note(GET_ENTRY, Reason::CertificateUnknown, answer);

    // A department of another domain, with a certificate that is in order there.
    let district = stage.city.role(Level::District, DEPARTMENT);
    let visitor = Role::of(Context {
        domain: Some(city.domain_text().to_owned()),
        ca: stage.asker.context.ca.clone(),
        gateways: stage.asker.context.gateways.clone(),
        ..district.context
    });
    refused!(stage, DomainForeign, visitor, catalog.get_entry(any_entry(stage)));
}

/// What a client and the command line learn when TLS itself refuses them.
async fn refused_at_the_door(stage: &Stage, name: &str, context: &Context) -> Cause {
    let answer =
        raw::send(channel(context, &Level::City.domain()), GET_ENTRY, call(Bytes::new())).await;
    let cause = handshake(&answer.expect_err("the handshake should fail"));

    let text = |path: &std::path::Path| path.to_str().expect("a path in UTF-8").to_owned();
    let contexts = stage.city.topology.folder.join(format!("{name}.toml"));
    let file = format!(
        "[contexts.it]\ngateways = {:?}\nca = {:?}\ncert = {:?}\nkey = {:?}\n",
        context.gateways,
        text(&context.ca),
        text(&context.cert),
        text(&context.key)
    );
    std::fs::write(&contexts, file).expect("a file can be written");
    let said = command_line::run(["--contexts", &text(&contexts), "--lang", "en", "status"]);
    assert_eq!(said.code, Some(5), "denied: {said:#?}");
    assert!(said.stderr.contains("certificate"), "the command says why: {said:#?}");
    cause
}

async fn kinds_of_callers(stage: &Stage) {
    let own_gateway = stage.city.gateway_of(Level::City, Level::City);
    refused!(stage, CallerNotPermitted, own_gateway, catalog.get_entry(any_entry(stage)));

    let describe = "/luqiao.federation.v1.FederationService/DescribeDomain";
    let answer = raw::send(stage.asker.channel(), describe, call(Bytes::new())).await;
    stage.note(describe, Reason::CallerNotPermitted, answer);

    let looped = |path: &'static str| {
        let mut request = call(Bytes::new());
        request.metadata_mut().insert("x-luqiao-path", path.parse().expect("a header value"));
        request
    };
    let answer = raw::send(stage.superior.channel(), describe, looped("fujian, xiamen")).await;
    stage.note(describe, Reason::LoopDetected, answer);

    // A system that says it speaks for somebody whose name is none.
    let mut request = call(Bytes::new());
    request.metadata_mut().insert("x-luqiao-person", "the boss".parse().expect("a header value"));
    let answer = raw::send(stage.asker.channel(), GET_ENTRY, request).await;
    stage.note(GET_ENTRY, Reason::FieldInvalid, answer);

    // A system of the city that nobody registered calls with a certificate in order.
    let seat = federation_tests::federation::seat(Level::City, OTHER_DEPARTMENT);
    let unregistered = Subject::System {
        organization: seat.organization(),
        system: "01JD0000000000000000000007".parse().expect("an id"),
    };
    let unregistered = stage.forged("unregistered", unregistered);
    refused!(stage, NotFound, unregistered, catalog.get_entry(any_entry(stage)));
}

async fn frames(stage: &Stage) {
    let unknown = "/luqiao.catalog.v1.CatalogService/BurnEntry";
    let answer = raw::send(stage.asker.channel(), unknown, call(Bytes::new())).await;
    stage.note(unknown, Reason::MethodUnknown, answer);
}
