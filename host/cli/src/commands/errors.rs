//! `aureole errors`: the table of stable codes, which is compiled in; no node is asked.

use anyhow::Context as _;
use aureole_client::codes;

use super::Context;
use crate::print;

/// Prints the table, or one code of it.
pub(crate) fn run(context: &Context, code: Option<&str>) -> anyhow::Result<()> {
    let Some(code) = code else {
        let all: Vec<_> = codes::all().collect();
        return print::result(context.output, &all, |all| {
            for code in all {
                print::line(format_args!(
                    "{}  {:<32} {}",
                    code.status, code.code, code.title
                ));
            }
        });
    };
    let known = codes::find(code).with_context(|| {
        format!(
            "there is no code `{}`; `aureole errors` lists them",
            code.escape_debug()
        )
    })?;
    print::result(context.output, known, |known| {
        print::line(format_args!(
            "{}  status {}: {}",
            known.code, known.status, known.title
        ));
        print::line(known.meaning);
        print::line(format_args!("What to do: {}", known.what_to_do));
    })
}
