//! Whether this machine's processor can run the arithmetic that this program was built with.
//!
//! On x86-64 the field arithmetic is assembly with MULX, ADCX and ADOX (BMI2 and ADX: Intel since
//! Broadwell, AMD since Zen), which `pasta_curves` does not look for before it uses them. Without
//! them the first multiplication would kill the process with no word why.

use crate::Error;

/// Fails where the processor lacks an instruction set that this program needs.
///
/// # Errors
/// [`Error::Processor`], with what is missing and what to do.
pub fn processor() -> Result<(), Error> {
    #[cfg(target_arch = "x86_64")]
    let has = [
        ("BMI2", std::arch::is_x86_feature_detected!("bmi2")),
        ("ADX", std::arch::is_x86_feature_detected!("adx")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let has = [];
    needs(pasta_curves::BACKEND, &has)
}

fn needs(backend: &str, has: &[(&'static str, bool)]) -> Result<(), Error> {
    let missing = has.iter().find(|(_, has)| !has);
    match missing {
        Some((missing, _)) if backend == "x86-64" => Err(Error::Processor { missing }),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first broken fact")]
mod tests {
    use super::*;

    #[test]
    fn a_processor_without_the_instructions_is_refused_by_name() {
        let error = needs("x86-64", &[("BMI2", true), ("ADX", false)]).unwrap_err();
        assert_eq!(error.code(), "prover.processor");
        assert!(error.to_string().contains("ADX"), "{error}");
        assert!(error.to_string().contains("pasta_curves_noasm"), "{error}");
    }

    #[test]
    fn portable_arithmetic_runs_anywhere() {
        needs("portable", &[("BMI2", false), ("ADX", false)]).unwrap();
        needs("aarch64", &[]).unwrap();
    }

    #[test]
    fn the_arithmetic_is_assembly_where_there_is_one() {
        processor().unwrap();
        if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
            assert_eq!(pasta_curves::BACKEND, "x86-64");
        }
    }
}
