//! The archive as others see it: what is put away comes back, what is changed is noticed. Once on a folder,
//! once on a server that speaks S3 and is not ours.

mod s3;
mod story;
