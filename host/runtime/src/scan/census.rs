//! Counts what stands in a component and refuses at the caps, before anything is validated.
//!
//! Counts are compared before what they count is read, so a short file that claims a lot costs
//! nothing.

use wasmparser::{
    BlockType, Encoding, FunctionBody, FunctionSectionReader, Instance, MemorySectionReader,
    Operator, Parser, Payload, SectionLimited, TableSectionReader, TypeRef, TypeSectionReader,
};

use super::{
    ScanError, ScanReport,
    world::{Export, Import},
};
use crate::limits::{INSTANCES, Limits, PARAMS, RESULTS};

/// The engine's page size; custom page sizes are off.
const PAGE: u64 = 1 << 16;

/// Everything counted, and the names at the component's own border.
pub(super) struct Census {
    pub(super) report: ScanReport,
    pub(super) imports: Vec<Import>,
    pub(super) exports: Vec<Export>,
    components: u64,
    memories: u64,
    tables: u64,
    /// One entry for each open component or module, the innermost last.
    open: Vec<Scope>,
}

/// What is known of one open component or module.
struct Scope {
    encoding: Encoding,
    /// Parameters and results of each core type.
    arities: Vec<u64>,
    /// The core type of each function that has a body.
    functions: Vec<u32>,
    /// Bodies read.
    bodies: usize,
}

// === impl Census ===

impl Census {
    pub(super) fn take(bytes: &[u8], limits: &Limits) -> Result<Self, ScanError> {
        let mut census = Self {
            report: ScanReport::default(),
            imports: Vec::new(),
            exports: Vec::new(),
            components: 0,
            memories: 0,
            tables: 0,
            open: Vec::new(),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            census.payload(&payload?, limits)?;
        }
        Ok(census)
    }

    fn payload(&mut self, payload: &Payload<'_>, limits: &Limits) -> Result<(), ScanError> {
        match payload {
            Payload::Version { encoding, .. } => self.enter(*encoding, limits),
            Payload::End(_) => {
                self.open.pop();
                Ok(())
            }
            Payload::CodeSectionEntry(body) => self.body(body, limits),
            Payload::CodeSectionStart { .. } | Payload::CustomSection(_) => Ok(()),
            _ if self.in_module() => self.module_section(payload, limits),
            _ => self.component_section(payload, limits),
        }
    }

    fn enter(&mut self, encoding: Encoding, limits: &Limits) -> Result<(), ScanError> {
        match encoding {
            Encoding::Module => {
                self.report.modules = self.report.modules.saturating_add(1);
                cap(
                    "core modules",
                    self.report.modules.into(),
                    limits.modules.into(),
                )?;
            }
            Encoding::Component => {
                self.components = self.components.saturating_add(1);
                cap(
                    "nested components",
                    self.components - 1,
                    limits.components.into(),
                )?;
                let depth = u64::try_from(self.open.len()).unwrap_or(u64::MAX);
                cap("levels of components", depth, limits.component_depth.into())?;
            }
        }
        self.open.push(Scope {
            encoding,
            arities: Vec::new(),
            functions: Vec::new(),
            bodies: 0,
        });
        Ok(())
    }

    fn in_module(&self) -> bool {
        self.open
            .last()
            .is_some_and(|scope| scope.encoding == Encoding::Module)
    }

    // --- component level

    fn component_section(
        &mut self,
        payload: &Payload<'_>,
        limits: &Limits,
    ) -> Result<(), ScanError> {
        match payload {
            Payload::ComponentTypeSection(section) => {
                self.type_bytes(section, limits)?;
                self.items(section.count(), limits)
            }
            Payload::CoreTypeSection(section) => {
                self.type_bytes(section, limits)?;
                self.items(section.count(), limits)
            }
            Payload::InstanceSection(section) => {
                self.items(section.count(), limits)?;
                self.instances(section.count())?;
                // Counted here, because an instance can be a bag of exports of any length.
                for instance in section.clone() {
                    if let Instance::FromExports(exports) = instance? {
                        self.items(clamp(exports.len()), limits)?;
                    }
                }
                Ok(())
            }
            Payload::ComponentInstanceSection(section) => {
                self.items(section.count(), limits)?;
                self.instances(section.count())
            }
            Payload::ComponentAliasSection(section) => self.items(section.count(), limits),
            Payload::ComponentCanonicalSection(section) => self.items(section.count(), limits),
            Payload::ComponentImportSection(section) => {
                self.items(section.count(), limits)?;
                if self.open.len() == 1 {
                    for import in section.clone() {
                        let import = import?;
                        let name = import.name.name.to_owned();
                        self.imports.push(Import {
                            name,
                            kind: import.ty,
                        });
                    }
                }
                Ok(())
            }
            Payload::ComponentExportSection(section) => {
                self.items(section.count(), limits)?;
                if self.open.len() == 1 {
                    for export in section.clone() {
                        let export = export?;
                        let name = export.name.name.to_owned();
                        self.exports.push(Export {
                            name,
                            kind: export.kind,
                        });
                    }
                }
                Ok(())
            }
            // Component start functions are behind a feature that is off; the rest only opens
            // what `enter` counts. The validator has the last word on both.
            _ => Ok(()),
        }
    }

    fn items(&mut self, count: u32, limits: &Limits) -> Result<(), ScanError> {
        let items = &mut self.report.component_items;
        *items = items.saturating_add(count.into());
        cap(
            "component-level items",
            *items,
            limits.component_items.into(),
        )
    }

    fn instances(&mut self, count: u32) -> Result<(), ScanError> {
        self.report.instances = self.report.instances.saturating_add(count.into());
        cap("instances", self.report.instances, INSTANCES)
    }

    fn type_bytes<T>(
        &mut self,
        section: &SectionLimited<'_, T>,
        limits: &Limits,
    ) -> Result<(), ScanError> {
        let bytes = &mut self.report.component_type_bytes;
        *bytes = bytes.saturating_add(u64::try_from(section.range().len()).unwrap_or(u64::MAX));
        cap(
            "bytes of component types",
            *bytes,
            limits.component_type_bytes,
        )
    }

    // --- core modules

    fn module_section(&mut self, payload: &Payload<'_>, limits: &Limits) -> Result<(), ScanError> {
        match payload {
            Payload::TypeSection(section) => self.types(section, limits),
            Payload::FunctionSection(section) => self.functions(section, limits),
            Payload::ImportSection(section) => {
                self.module_items(section.count(), limits)?;
                for import in section.clone().into_imports() {
                    match import?.ty {
                        TypeRef::Memory(memory) => self.memory(memory.initial, 0, limits)?,
                        TypeRef::Table(table) => self.table(table.initial, 0, limits)?,
                        _ => {}
                    }
                }
                Ok(())
            }
            Payload::MemorySection(section) => self.memories(section, limits),
            Payload::TableSection(section) => self.tables(section, limits),
            Payload::GlobalSection(section) => self.module_items(section.count(), limits),
            Payload::ExportSection(section) => self.module_items(section.count(), limits),
            Payload::ElementSection(section) => self.module_items(section.count(), limits),
            Payload::DataSection(section) => self.module_items(section.count(), limits),
            Payload::TagSection(section) => self.module_items(section.count(), limits),
            _ => Ok(()),
        }
    }

    fn module_items(&mut self, count: u32, limits: &Limits) -> Result<(), ScanError> {
        let items = &mut self.report.module_items;
        *items = items.saturating_add(count.into());
        cap(
            "imports, exports, globals and segments",
            *items,
            limits.module_items.into(),
        )
    }

    fn types(&mut self, section: &TypeSectionReader<'_>, limits: &Limits) -> Result<(), ScanError> {
        self.report.types = self.report.types.saturating_add(section.count().into());
        cap("types", self.report.types, limits.types.into())?;
        let mut arities = Vec::new();
        for group in section.clone() {
            for ty in group?.into_types() {
                let arity = match &ty.composite_type.inner {
                    wasmparser::CompositeInnerType::Func(func) => {
                        cap(
                            "parameters of a function",
                            count(func.params().len()),
                            PARAMS,
                        )?;
                        cap(
                            "results of a function",
                            count(func.results().len()),
                            RESULTS,
                        )?;
                        count(func.params().len() + func.results().len())
                    }
                    _ => 0,
                };
                arities.push(arity);
                cap("types", count(arities.len()), limits.types.into())?;
            }
        }
        if let Some(scope) = self.open.last_mut() {
            scope.arities = arities;
        }
        Ok(())
    }

    fn functions(
        &mut self,
        section: &FunctionSectionReader<'_>,
        limits: &Limits,
    ) -> Result<(), ScanError> {
        self.report.functions = self.report.functions.saturating_add(section.count());
        cap(
            "functions",
            self.report.functions.into(),
            limits.functions.into(),
        )?;
        let types = section
            .clone()
            .into_iter()
            .collect::<Result<Vec<u32>, _>>()?;
        if let Some(scope) = self.open.last_mut() {
            scope.functions = types;
        }
        Ok(())
    }

    fn memories(
        &mut self,
        section: &MemorySectionReader<'_>,
        limits: &Limits,
    ) -> Result<(), ScanError> {
        within(
            "memories",
            u64::from(section.count()),
            limits.memories.into(),
        )?;
        for memory in section.clone() {
            self.memory(memory?.initial, 1, limits)?;
        }
        Ok(())
    }

    fn memory(&mut self, pages: u64, defined: u64, limits: &Limits) -> Result<(), ScanError> {
        self.memories += defined;
        within("memories", self.memories, limits.memories.into())?;
        let bytes = pages.saturating_mul(PAGE);
        within("bytes of initial memory", bytes, limits.memory_bytes)?;
        self.report.initial_memory_bytes = self.report.initial_memory_bytes.max(bytes);
        Ok(())
    }

    fn tables(
        &mut self,
        section: &TableSectionReader<'_>,
        limits: &Limits,
    ) -> Result<(), ScanError> {
        within("tables", u64::from(section.count()), limits.tables.into())?;
        for table in section.clone() {
            self.table(table?.ty.initial, 1, limits)?;
        }
        Ok(())
    }

    fn table(&mut self, elements: u64, defined: u64, limits: &Limits) -> Result<(), ScanError> {
        self.tables += defined;
        within("tables", self.tables, limits.tables.into())?;
        within(
            "elements of an initial table",
            elements,
            limits.table_elements.into(),
        )?;
        self.report.largest_table = self.report.largest_table.max(elements);
        Ok(())
    }

    /// Counts one function's body; the costs that the compiler multiplies are multiplied here.
    fn body(&mut self, body: &FunctionBody<'_>, limits: &Limits) -> Result<(), ScanError> {
        let bytes = count(body.range().len());
        self.report.code_bytes = self.report.code_bytes.saturating_add(bytes);
        self.report.largest_body = self.report.largest_body.max(bytes);
        cap("bytes in one function", bytes, limits.body_bytes)?;

        let mut locals = 0_u64;
        for declared in body.get_locals_reader()? {
            locals = locals.saturating_add(declared?.0.into());
            cap("locals in one function", locals, limits.locals.into())?;
        }
        self.report.most_locals = self.report.most_locals.max(locals);

        let Some(scope) = self.open.last_mut() else {
            return Ok(());
        };
        let own_arity = scope
            .functions
            .get(scope.bodies)
            .map_or(0, |ty| arity(&scope.arities, *ty));
        scope.bodies += 1;
        let blocks = Blocks::count(body, &scope.arities, limits)?;
        self.report.most_blocks = self.report.most_blocks.max(blocks.number);
        self.report.deepest_block = self.report.deepest_block.max(blocks.deepest);
        let product = locals
            .saturating_add(own_arity)
            .saturating_mul(blocks.number)
            .saturating_add(blocks.values);
        self.report.local_blocks = self.report.local_blocks.saturating_add(product);
        cap(
            "locals times blocks",
            self.report.local_blocks,
            limits.local_blocks,
        )
    }
}

/// The control structure of one body.
#[derive(Default)]
struct Blocks {
    /// Blocks, loops, ifs and branch-table targets.
    number: u64,
    /// Deepest nesting.
    deepest: u32,
    /// Parameters and results of all blocks.
    values: u64,
}

// === impl Blocks ===

impl Blocks {
    fn count(body: &FunctionBody<'_>, arities: &[u64], limits: &Limits) -> Result<Self, ScanError> {
        let mut blocks = Self::default();
        let mut depth = 0_u32;
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Block { blockty }
                | Operator::Loop { blockty }
                | Operator::If { blockty } => {
                    depth = depth.saturating_add(1);
                    blocks.deepest = blocks.deepest.max(depth);
                    blocks.number += 1;
                    if let BlockType::FuncType(ty) = blockty {
                        blocks.values = blocks.values.saturating_add(arity(arities, ty));
                    }
                }
                Operator::End => depth = depth.saturating_sub(1),
                Operator::BrTable { targets } => {
                    blocks.number = blocks.number.saturating_add(targets.len().into());
                }
                _ => continue,
            }
            cap(
                "blocks in one function",
                blocks.number,
                limits.blocks.into(),
            )?;
            cap(
                "levels of blocks in one function",
                depth.into(),
                limits.block_depth.into(),
            )?;
        }
        Ok(blocks)
    }
}

fn arity(arities: &[u64], ty: u32) -> u64 {
    usize::try_from(ty)
        .ok()
        .and_then(|ty| arities.get(ty))
        .copied()
        .unwrap_or(0)
}

/// What would make compiling expensive.
fn cap(item: &'static str, value: u64, limit: u64) -> Result<(), ScanError> {
    if value > limit {
        Err(ScanError::TooComplex { item, value, limit })
    } else {
        Ok(())
    }
}

/// What would make instantiating expensive.
fn within(item: &'static str, value: u64, limit: u64) -> Result<(), ScanError> {
    if value > limit {
        Err(ScanError::Limits { item, value, limit })
    } else {
        Ok(())
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn clamp(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
