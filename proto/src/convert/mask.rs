//! Masks: which fields does an update change?

use catalog_model::{reason::Reason, refusal::Refusal};
use prost_types::FieldMask;

use crate::convert::reading::{At, Reading, repeated};

/// The name of the mask in every update.
const UPDATE_MASK: At<'static> = At::Root("update_mask");

/// The editable fields that the mask names, in the order of `editable`, each once. No mask, an
/// empty one and `*` name all of them (AIP-134). Every other path is refused.
pub(crate) fn masked(
    reading: &mut Reading,
    mask: Option<&FieldMask>,
    editable: &'static [&'static str],
) -> Vec<&'static str> {
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() || paths == ["*"] {
        return editable.to_vec();
    }
    let paths_at = UPDATE_MASK.field("paths");
    for (index, path) in paths.iter().enumerate() {
        if !editable.contains(&path.as_str()) {
            reading.wrong_because(
                paths_at.index(index),
                Refusal::new(Reason::MaskInvalid).fact("path", repeated(path)),
                "is not a field that can be updated",
                "不是可更新的字段",
            );
        }
    }
    editable.iter().copied().filter(|field| paths.iter().any(|path| path == field)).collect()
}
