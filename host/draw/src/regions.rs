//! How many rows the regions take, by name.

use std::collections::BTreeMap;

use aureole_ir::Annotations;
use serde::Serialize;

use crate::names::class_name;

/// All regions of one name, numbers aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegionUse {
    /// The name; `#` stands for any number.
    pub name: String,
    /// How many regions have it.
    pub regions: u64,
    /// Their rows together. Regions may stand side by side, so the sum over all names can be more
    /// than the circuit's rows.
    pub rows: u64,
    /// Their cells together: rows times columns.
    pub cells: u64,
    /// The first row of the first.
    pub first_row: u32,
    /// One more than the last row of the last.
    pub end_row: u32,
}

/// Regions by name, those that take most rows first.
#[must_use]
pub fn regions(annotations: &Annotations) -> Vec<RegionUse> {
    let mut by_name: BTreeMap<String, RegionUse> = BTreeMap::new();
    for region in &annotations.regions {
        let name = class_name(&region.name);
        let end = region.first_row.saturating_add(region.rows);
        let entry = by_name.entry(name.clone()).or_insert(RegionUse {
            name,
            regions: 0,
            rows: 0,
            cells: 0,
            first_row: region.first_row,
            end_row: end,
        });
        let rows = u64::from(region.rows);
        entry.regions += 1;
        entry.rows = entry.rows.saturating_add(rows);
        entry.cells = entry
            .cells
            .saturating_add(rows.saturating_mul(region.columns.len() as u64));
        entry.first_row = entry.first_row.min(region.first_row);
        entry.end_row = entry.end_row.max(end);
    }
    let mut uses: Vec<RegionUse> = by_name.into_values().collect();
    uses.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.name.cmp(&b.name)));
    uses
}
