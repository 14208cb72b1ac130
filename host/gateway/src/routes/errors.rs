//! `/errors`: the table of codes; the `type` of a problem leads here.

use crate::{
    answer::Answer,
    extract::{Asked, Nothing, Segment},
};
use aureole_api::{
    Problem,
    codes::{self, request},
    rest::CodeTable,
};
use axum::{Json, response::IntoResponse as _};

pub(super) async fn list(_: Asked<Nothing>) -> Answer {
    Ok(Json(CodeTable {
        errors: codes::all().collect(),
    })
    .into_response())
}

pub(super) async fn show(segment: Segment, _: Asked<Nothing>) -> Answer {
    match codes::find(segment.text()) {
        Some(code) => Ok(Json(code).into_response()),
        None => Err(Problem::new(request::ROUTE, "no such code; GET /api/v1/errors").into()),
    }
}
