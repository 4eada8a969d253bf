//! A file and a function can be read without getting lost: no file is longer than 450 lines, no function longer than 60.

use std::fs;
use std::path::Path;

use super::layers::rust_files;

const LONGEST_FILE: usize = 450;
const LONGEST_FUNCTION: usize = 60;

#[test]
fn no_file_and_no_function_is_too_long() {
    let mut faults = Vec::new();
    for file in ["src", "tests/it", "benches"].into_iter().flat_map(rust_files) {
        faults.extend(faults_of(&file));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn faults_of(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let shown = file.display();
    let mut faults = Vec::new();
    if lines.len() > LONGEST_FILE {
        faults.push(format!("{shown}: {} lines", lines.len()));
    }
    for (at, length) in functions(&lines).filter(|(_, length)| *length > LONGEST_FUNCTION) {
        faults.push(format!("{shown}:{}: a function of {length} lines", at + 1));
    }
    faults
}

/// Returns the index of the first line and the number of lines of each function.
fn functions<'l>(lines: &'l [&'l str]) -> impl Iterator<Item = (usize, usize)> + 'l {
    let begins = lines.iter().enumerate().filter(|(_, line)| is_function(line));
    begins.map(|(at, line)| (at, lines[at..].iter().position(|next| ends(line, next)).unwrap_or(0) + 1))
}

/// True if a line ends the function that begins with `first`. The formatter puts the end at the indentation of the
/// beginning: `}` after a body, `…;` after a signature without one.
fn ends(first: &str, line: &str) -> bool {
    let indentation = first.len() - first.trim_start().len();
    let is_at_its_indentation = line.len() - line.trim_start().len() == indentation;
    is_at_its_indentation && (line.ends_with('}') || line.ends_with(';'))
}

fn is_function(line: &str) -> bool {
    let code = line.trim_start();
    let code = code.strip_prefix("pub").map_or(code, |rest| rest.split_once(' ').map_or(rest, |(_, rest)| rest));
    ["fn ", "const fn ", "async fn "].iter().any(|start| code.starts_with(start))
}

#[test]
fn the_lengths_of_functions_are_counted() {
    let text = "fn a() {\n    b();\n}\n\nimpl C {\n    pub(super) async fn d(\n        e: u8,\n    ) -> u8 {\n        e\n    }\n    fn f();\n}";
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(functions(&lines).collect::<Vec<_>>(), [(0, 3), (5, 5), (10, 1)]);
}
