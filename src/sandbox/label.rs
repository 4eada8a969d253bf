//! Generates a small, valid one-page PDF, which takes the place of a courier label.

/// Generates a label of 100 × 150 mm with these lines of text. Characters outside ASCII become `?`, because no font is
/// embedded.
pub fn pdf(lines: &[&str]) -> Vec<u8> {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 283 425]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>".to_owned(),
        stream(lines),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::with_capacity(objects.len());
    for (number, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let table = file.len();
    let size = objects.len() + 1;
    file.push_str(&format!("xref\n0 {size}\n0000000000 65535 f \n"));
    for offset in offsets {
        file.push_str(&format!("{offset:010} 00000 n \n"));
    }
    file.push_str(&format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n"));
    file.into_bytes()
}

fn stream(lines: &[&str]) -> String {
    let shown = lines.iter().map(|line| {
        let line: String =
            line.chars().map(|c| if c.is_ascii_alphanumeric() || " -:".contains(c) { c } else { '?' }).collect();
        format!("({line}) Tj T* ")
    });
    let content = format!("BT /F1 14 Tf 20 380 Td 22 TL {}ET", shown.collect::<String>());
    format!("<</Length {}>>\nstream\n{content}\nendstream", content.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_points_at_the_objects() {
        let file = String::from_utf8(pdf(&["EMS 1200000000001", "(证照)"])).unwrap();
        assert!(file.starts_with("%PDF-1.4\n") && file.ends_with("%%EOF\n"));
        let table: usize = file.rsplit_once("startxref\n").unwrap().1.split('\n').next().unwrap().parse().unwrap();
        let entries: Vec<usize> =
            file[table..].lines().skip(3).take(5).map(|line| line[..10].parse().unwrap()).collect();
        for (number, offset) in entries.into_iter().enumerate() {
            assert!(file[offset..].starts_with(&format!("{} 0 obj", number + 1)));
        }
        assert!(!file.contains("(证照)"));
    }
}
