//! The plans of the product's statements, which PostgreSQL logs (`auto_explain`) with the rows and pages that each
//! really read. The look-ups of foreign keys are among them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::Failure;
use super::copies::TABLES;

/// The maximum number of rows that one execution of a statement may read, returned or not.
const MOST_ROWS: f64 = 1_500.0;
/// The maximum number of pages (8 kB) that one execution of a statement may read.
pub const MOST_PAGES: f64 = 1_500.0;

/// The log of the server that `script/servers/postgres.sh` starts, as an SQL expression.
const LOG: &str = "current_setting('data_directory') || '/../log'";

/// Makes PostgreSQL log the plan of every statement in this database, for sessions that begin from now on. Needs a
/// superuser.
pub async fn watch(conn: &mut PgConnection) -> Result<(), Failure> {
    const SETTINGS: [&str; 7] = [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_buffers = on",
        "auto_explain.log_timing = off",
        "auto_explain.log_nested_statements = on",
        "auto_explain.log_format = json",
    ];
    // The library's settings exist only after it is loaded.
    sqlx::raw_sql("load 'auto_explain'").execute(&mut *conn).await?;
    for setting in SETTINGS {
        set(conn, setting).await?;
    }
    Ok(())
}

/// Changes a setting for sessions that begin from now on in this database.
async fn set(conn: &mut PgConnection, setting: &str) -> Result<(), Failure> {
    let name: String = sqlx::query_scalar("select current_database()::text").fetch_one(&mut *conn).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("alter database {name} set {setting}"))).execute(conn).await?;
    Ok(())
}

/// Returns the present length of PostgreSQL's log in bytes.
pub async fn length(conn: &mut PgConnection) -> Result<i64, Failure> {
    Ok(sqlx::query_scalar(AssertSqlSafe(format!("select (pg_stat_file({LOG})).size"))).fetch_one(conn).await?)
}

/// Returns all statements in the log from this offset on, each once.
pub async fn since(conn: &mut PgConnection, start: i64) -> Result<Statements, Failure> {
    let indexes = first_keys(conn).await?;
    let end = length(conn).await?;
    let mut statements = Statements::default();
    let mut place = start;
    let mut rest = String::new();
    // The log is read in parts, because the plans of a day are some hundred megabytes.
    while place < end {
        const PART: i64 = 8 << 20;
        let sql = format!("select pg_read_binary_file({LOG}, $1, $2)");
        let part: Vec<u8> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(place)
            .bind(PART.min(end - place))
            .fetch_one(&mut *conn)
            .await?;
        place += i64::try_from(part.len())?;
        rest.push_str(&String::from_utf8_lossy(&part));
        let whole = if place < end { rest.rfind("\n20").unwrap_or(0) } else { rest.len() };
        statements.read(&rest[..whole], &indexes)?;
        rest.drain(..whole);
    }
    Ok(statements)
}

/// The first column or expression of an index. `is_partial` is true if the index covers only a part of its table.
struct FirstKey {
    text: String,
    is_partial: bool,
}

async fn first_keys(conn: &mut PgConnection) -> Result<BTreeMap<String, FirstKey>, Failure> {
    let keys: Vec<(String, String, bool)> = sqlx::query_as(
        "select indexrelid::regclass::text, pg_get_indexdef(indexrelid, 1, true), indpred is not null from pg_index",
    )
    .fetch_all(conn)
    .await?;
    Ok(keys.into_iter().map(|(name, text, is_partial)| (name, FirstKey { text, is_partial })).collect())
}

/// Statements by their text, with the most rows and pages that an execution read.
#[derive(Default)]
pub struct Statements(BTreeMap<String, Statement>);

#[derive(Default)]
struct Statement {
    /// How often the statement was executed.
    times: usize,
    /// The largest number of rows that an execution read.
    rows: f64,
    /// The largest number of pages that an execution read.
    pages: f64,
    /// The indexes and scans by which the statement found its rows.
    ways: Vec<String>,
    faults: Vec<String>,
}

impl Statements {
    fn read(&mut self, log: &str, indexes: &BTreeMap<String, FirstKey>) -> Result<(), Failure> {
        let mut lines = log.lines().peekable();
        while let Some(line) = lines.next() {
            if !line.ends_with("plan:") {
                continue;
            }
            let mut json = String::new();
            while let Some(line) = lines.next_if(|line| line.starts_with('\t')) {
                json.push_str(line);
            }
            let logged: Value = serde_json::from_str(&json)?;
            let text = logged["Query Text"].as_str().unwrap_or_default();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            self.0.entry(text).or_default().add(&logged["Plan"], indexes);
        }
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the most pages that a statement read.
    pub fn most_pages(&self) -> f64 {
        self.0.values().map(|statement| statement.pages).fold(0.0, f64::max)
    }

    /// Returns all statements as a Markdown table, those with the most pages first.
    pub fn table(&self) -> String {
        let mut all: Vec<_> = self.all().collect();
        all.sort_by(|(_, one), (_, other)| other.pages.total_cmp(&one.pages));
        let line = |(text, it): (&str, &Statement)| {
            let begins: String = text.chars().take(90).collect();
            let times = it.times;
            let rows = it.rows;
            let pages = it.pages;
            format!("| {} | {times} | {rows} | {pages} | {} |\n", begins.replace('|', "\\|"), it.ways.join(", "))
        };
        let lines: String = all.into_iter().map(line).collect();
        format!("| statement | times | most rows | most pages | by |\n|---|---|---|---|---|\n{lines}")
    }

    fn all(&self) -> impl Iterator<Item = (&str, &Statement)> {
        self.0.iter().map(|(text, statement)| (text.as_str(), statement))
    }

    /// Returns the statements that read more than they need, with the reasons.
    pub fn faults(&self) -> Vec<String> {
        let faults = |(text, statement): (&str, &Statement)| {
            let why = statement.faults();
            (!why.is_empty()).then(|| format!("{}: {statement}\n    {text}", why.join(", ")))
        };
        self.all().filter_map(faults).collect()
    }
}

impl Statement {
    fn add(&mut self, plan: &Value, indexes: &BTreeMap<String, FirstKey>) {
        self.times += 1;
        let mut rows = 0.0;
        let mut ways = Vec::new();
        self.walk(plan, indexes, false, &mut rows, &mut ways);
        self.pages = self.pages.max(number(plan, "Shared Hit Blocks") + number(plan, "Shared Read Blocks"));
        if rows >= self.rows {
            (self.rows, self.ways) = (rows, ways);
        }
    }

    /// Collects the faults of a plan's node and of the nodes below it. `stops` is true if a node above reads only some
    /// of the rows, as `Limit` does.
    fn walk(
        &mut self,
        plan: &Value,
        indexes: &BTreeMap<String, FirstKey>,
        stops: bool,
        rows: &mut f64,
        ways: &mut Vec<String>,
    ) {
        for part in plan["Plans"].as_array().into_iter().flatten() {
            let stops = match text(plan, "Node Type") {
                "Limit" => true,
                // These nodes read all rows before they return one.
                "Sort" | "Incremental Sort" | "Aggregate" | "WindowAgg" | "Hash" | "Materialize" => false,
                _ => stops,
            };
            self.walk(part, indexes, stops, rows, ways);
        }
        let node = text(plan, "Node Type");
        let table = text(plan, "Relation Name");
        let index = text(plan, "Index Name");
        if (table.is_empty() && index.is_empty()) || node == "ModifyTable" || number(plan, "Actual Loops") == 0.0 {
            return;
        }
        let dropped: f64 =
            ["Rows Removed by Filter", "Rows Removed by Index Recheck"].map(|name| number(plan, name)).iter().sum();
        *rows += (number(plan, "Actual Rows") + dropped) * number(plan, "Actual Loops");
        ways.push(if index.is_empty() { format!("{node} on {table}") } else { index.to_owned() });
        if node == "Seq Scan" && TABLES.iter().any(|(grows, _)| *grows == table) {
            self.fault(format!("all of {table}"));
        }
        let begins = text(plan, "Index Cond");
        if let Some(key) = indexes.get(index)
            && !key.is_partial
            && !begins.contains(key.text.as_str())
            && !(begins.is_empty() && stops)
        {
            self.fault(format!("all of {index}, whose first key is {}", key.text));
        }
    }

    fn fault(&mut self, why: String) {
        if !self.faults.contains(&why) {
            self.faults.push(why);
        }
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = self.faults.clone();
        if self.rows > MOST_ROWS {
            faults.push(format!("more than {MOST_ROWS} rows"));
        }
        if self.pages > MOST_PAGES {
            faults.push(format!("more than {MOST_PAGES} pages"));
        }
        faults
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { times, rows, pages, ways, .. } = self;
        write!(f, "{times} times, at most {rows} rows and {pages} pages, by {}", ways.join(", "))
    }
}

fn text<'p>(plan: &'p Value, name: &str) -> &'p str {
    plan[name].as_str().unwrap_or_default()
}

fn number(plan: &Value, name: &str) -> f64 {
    plan[name].as_f64().unwrap_or(0.0)
}
