//! Small circuits that between them use what halo2 has.

pub mod copies;
pub mod deep;
pub mod empty;
pub mod lookups;
pub mod mixed;
pub mod rotations;
pub mod series;

use crate::conformance::conforms;

conforms!(only_copies, copies::Copies);
conforms!(an_expression_of_the_greatest_height, deep::Deep);
conforms!(no_columns_at_all, empty::Empty);
conforms!(lookups_without_gates_planned_by_v1, lookups::Lookups);
conforms!(selectors_constants_and_three_instance_columns, mixed::Mixed);
conforms!(rotations_planned_by_v1, rotations::Rotations);
conforms!(a_series_of_five_rows, series::Series<5>);
conforms!(a_series_of_forty_rows, series::Series<40>);
