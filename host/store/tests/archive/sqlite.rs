//! What is SQLite's own: a file that is none, and a file's text forms.

use aureole_store::{ArchiveError, ArchivePlace, Cursor, open_archive};

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.sqlite");
    std::fs::write(&path, "x".repeat(4096)).unwrap();
    let error = open_archive(&ArchivePlace::File(path)).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Open { .. }), "{error}");
    assert!(!error.is_outage());
}

#[test]
fn only_our_own_cursors_parse() {
    for text in [
        "",
        "1",
        "x.tsk_00",
        "1.tsk_zz",
        "-1.tsk_01010101010101010101010101010101",
    ] {
        assert!(
            matches!(text.parse::<Cursor>(), Err(ArchiveError::BadCursor)),
            "{text}"
        );
    }
}
