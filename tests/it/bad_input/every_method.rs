//! What is wrong with any method alike: is each of them guarded, the one added last too?

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes, BytesMut};
use catalog_model::reason::Reason;
use federation_tests::{
    raw,
    role::{Role, call},
    strangers::without_certificate,
};
use luqiao::dev::cast::Level;
use luqiao_proto::{
    FILE_DESCRIPTOR_SET,
    convert::methods::{METHODS, Method, MethodKind, RoutingField},
};
use prost::Message as _;
use prost_types::FileDescriptorSet;

use super::Stage;

pub(super) async fn refused(stage: &Stage) {
    let fields = Fields::read();
    let stranger = without_certificate(&stage.city.topology, Level::City);
    for method in METHODS {
        let federation = method.path.contains(".federation.");
        let (fitting, unfit) = if federation {
            (&stage.superior, &stage.asker)
        } else {
            (&stage.asker, &stage.superior)
        };
        let send = async |role: &Role, bytes: Bytes| {
            raw::send(role.channel(), method.path, call(bytes)).await
        };
        let answer = raw::send(stranger.clone(), method.path, call(Bytes::new())).await;
        stage.note(method.path, Reason::CertificateMissing, answer);

        // Another domain's callers come to the witness as themselves; their gateway is none of them.
        let witness = method.path.contains(".WitnessService/");
        let other =
            if federation || witness { Reason::CallerNotPermitted } else { Reason::DomainForeign };
        stage.note(method.path, other, send(unfit, Bytes::new()).await);

        // A field whose length reaches beyond the end.
        let cut = Bytes::from_static(&[0x0a, 0x7f, b'x']);
        stage.note(method.path, Reason::MessageMalformed, send(fitting, cut).await);

        let changes = matches!(method.kind, MethodKind::Write | MethodKind::Bidi);
        let request_id = fields.number(method, "request_id");
        if changes && request_id.is_some() {
            stage.note(method.path, Reason::RequestIdMissing, send(fitting, Bytes::new()).await);
        }
        if let Some(page_size) = fields.number(method, "page_size") {
            let mut negative = BytesMut::new();
            prost::encoding::int32::encode(page_size, &-1, &mut negative);
            stage.note(method.path, Reason::FieldInvalid, send(fitting, negative.freeze()).await);
        }
        if method.routing != RoutingField::None {
            let mut named = BytesMut::new();
            if let Some(request_id) = request_id {
                prost::encoding::string::encode(request_id, &"1".to_owned(), &mut named);
            }
            let mut name = BytesMut::new();
            prost::encoding::string::encode(1, &"nonsense".to_owned(), &mut name);
            if matches!(method.routing, RoutingField::EntryName | RoutingField::OrganizationName) {
                prost::encoding::bytes::encode(1, &name.freeze(), &mut named);
            } else {
                named.put(name);
            }
            stage.note(method.path, Reason::NameInvalid, send(fitting, named.freeze()).await);
        }
    }
}

/// Numbers of the fields of each method's request, from the descriptors.
struct Fields(BTreeMap<String, BTreeMap<String, u32>>);

impl Fields {
    fn read() -> Self {
        let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("our own descriptors");
        let mut messages = BTreeMap::new();
        for file in &set.file {
            for message in &file.message_type {
                let fields: BTreeMap<String, u32> = message
                    .field
                    .iter()
                    .map(|field| (field.name().to_owned(), field.number().unsigned_abs()))
                    .collect();
                messages.insert(format!(".{}.{}", file.package(), message.name()), fields);
            }
        }
        let mut methods = BTreeMap::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    let fields = messages.get(method.input_type()).cloned().unwrap_or_default();
                    methods.insert(path, fields);
                }
            }
        }
        Self(methods)
    }

    fn number(&self, method: &Method, field: &str) -> Option<u32> {
        self.0[method.path].get(field).copied()
    }
}
