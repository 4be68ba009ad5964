//! SQL of a template: one statement that reads.

use std::{collections::BTreeSet, ops::ControlFlow};

use sqlparser::{
    ast::{Expr, Query, Select, SetExpr, Statement, Value, ValueWithSpan, Visit as _, Visitor},
    dialect::PostgreSqlDialect,
    parser::{Parser, ParserError},
};

/// Longest statement, in bytes.
const SQL_BYTES_MAX: usize = 4096;
/// How deep an expression may be: each `+` of a sum is one deeper, and takes its part of the stack.
const DEPTH_MAX: u32 = 200;

/// Whether `sql` is one `SELECT` that only reads and uses exactly these parameters.
pub(crate) fn check(sql: &str, parameters: &[&str]) -> Result<(), String> {
    if SQL_BYTES_MAX < sql.len() {
        return Err(format!("must have at most {SQL_BYTES_MAX} bytes"));
    }
    let statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).map_err(|it| describe(&it))?;
    let [statement] = statements.as_slice() else {
        return Err("must be one statement".to_owned());
    };
    let Statement::Query(query) = statement else {
        return Err("must be a SELECT".to_owned());
    };
    if !is_select(&query.body) {
        return Err("must be a SELECT".to_owned());
    }
    let mut reader = Reader::default();
    if let ControlFlow::Break(what) = statement.visit(&mut reader) {
        return Err(format!("must only read, without {what}"));
    }
    if reader.parameters.iter().map(String::as_str).ne(parameters.iter().copied()) {
        return Err(match parameters {
            [] => "must have no parameters".to_owned(),
            _ => format!("must have the parameters {}", parameters.join(" and ")),
        });
    }
    Ok(())
}

fn is_select(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(_) => true,
        SetExpr::Query(query) => is_select(&query.body),
        SetExpr::SetOperation { left, right, .. } => is_select(left) && is_select(right),
        _ => false,
    }
}

/// What is wrong with it, and in which line of it.
fn describe(error: &ParserError) -> String {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "too deep",
    };
    let (what, place) = text.split_once(" at Line: ").unwrap_or((text, ""));
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    match place.split_once(',') {
        Some((line, _)) => format!("is no SQL, in its line {line}: {what}"),
        None => format!("is no SQL: {what}"),
    }
}

/// Goes through all of a statement and stops at what does not only read.
#[derive(Default)]
struct Reader {
    n_statements: u32,
    depth: u32,
    parameters: BTreeSet<String>,
}

const DEEP: &str = "an expression 200 deep";

impl Visitor for Reader {
    type Break = &'static str;

    fn pre_visit_statement(&mut self, _: &Statement) -> ControlFlow<Self::Break> {
        self.n_statements += 1;
        // WITH may have an INSERT, an UPDATE or a DELETE in it.
        if self.n_statements == 1 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break("another statement in it")
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        if query.locks.is_empty() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break("FOR UPDATE or FOR SHARE")
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        if select.into.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break("INTO") }
    }

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<Self::Break> {
        self.depth += 1;
        if self.depth <= DEPTH_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(DEEP) }
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<Self::Break> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<Self::Break> {
        if let Value::Placeholder(name) = &value.value {
            self.parameters.insert(name.clone());
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &[&str] = &["$1", "$2"];

    #[test]
    fn what_reads_is_right() {
        let rows: [(&str, &[&str]); 9] = [
            ("SELECT count(*) FROM \"Post\" WHERE at >= $1 AND at < $2", BOTH),
            ("SELECT count(*) FROM a WHERE t < $2 AND $1 <= t AND u < $2;", BOTH),
            ("SELECT min(\"publishDate\") FROM \"Post\" WHERE state = 'QUEUE'", &[]),
            ("SELECT now() AT TIME ZONE 'utc' + interval '5 min'", &[]),
            ("WITH a AS (SELECT 1 AS n) SELECT sum(n) FROM a", &[]),
            ("SELECT 1 UNION ALL (SELECT 2) ORDER BY 1 LIMIT 1", &[]),
            ("SELECT count(*) FROM (VALUES (1), (2)) AS v(n)", &[]),
            ("-- What is due.\nSELECT max(t) FILTER (WHERE t IS NOT NULL) FROM a", &[]),
            (
                "SELECT '$1; DELETE FROM a' || $$ \\! sh $2 $$, a::text, position('x'::bytea IN d)",
                &[],
            ),
        ];
        for (sql, parameters) in rows {
            assert_eq!(check(sql, parameters), Ok(()), "{sql}");
        }
    }

    #[test]
    fn what_is_not_one_select_that_only_reads_is_refused() {
        let one = "must be one statement";
        let select = "must be a SELECT";
        let inner = "must only read, without another statement in it";
        let locks = "must only read, without FOR UPDATE or FOR SHARE";
        let rows = [
            ("", one),
            (";", one),
            ("-- nothing", one),
            ("SELECT 1; SELECT 2", one),
            ("SELECT 1; DROP TABLE a", one),
            ("DELETE FROM a", select),
            ("INSERT INTO a VALUES (1)", select),
            ("UPDATE a SET n = 1", select),
            ("TRUNCATE a", select),
            ("DROP TABLE a", select),
            ("COPY a TO PROGRAM 'sh'", select),
            ("VALUES (1)", select),
            ("TABLE a", "is no SQL, in its line 1: Expected: an SQL statement, found: TABLE"),
            ("EXPLAIN SELECT 1", select),
            ("SET ROLE postgres", select),
            ("BEGIN", select),
            ("WITH a AS (DELETE FROM b RETURNING n) SELECT count(*) FROM a", inner),
            ("WITH a AS (INSERT INTO b VALUES (1) RETURNING n) SELECT 1 FROM a", inner),
            ("WITH a AS (UPDATE b SET n = 1 RETURNING n) SELECT 1 FROM a", inner),
            ("SELECT 1 FROM (WITH a AS (DELETE FROM b RETURNING n) SELECT n FROM a) c", inner),
            ("SELECT 1 INTO a", "must only read, without INTO"),
            ("SELECT n FROM a FOR UPDATE", locks),
            ("SELECT n FROM a FOR SHARE SKIP LOCKED", locks),
            ("SELECT 1 WHERE EXISTS (SELECT 1 FROM a FOR UPDATE)", locks),
            ("SELEC 1", "is no SQL, in its line 1: Expected: an SQL statement, found: SELEC"),
            ("SELECT 1\nFROM WHERE", "is no SQL"),
            ("SELECT 'a", "is no SQL, in its line 1: Unterminated string literal"),
            ("SELECT 1 \\! sh", "is no SQL"),
            ("\\! sh", "is no SQL"),
            ("SELECT \0", "is no SQL"),
            ("SELECT $1", "must have no parameters"),
            ("SELECT :id", "must have no parameters"),
            ("SELECT ?", "is no SQL"),
        ];
        for (sql, start) in rows {
            let error = check(sql, &[]).unwrap_err();
            assert!(error.starts_with(start) && !error.contains('\n'), "{sql}: {error}");
        }
        for sql in ["SELECT 1", "SELECT $1", "SELECT $2", "SELECT $1, $2, $3", "SELECT $1, :id"] {
            let want = Err("must have the parameters $1 and $2".to_owned());
            assert_eq!(check(sql, BOTH), want, "{sql}");
        }
    }

    #[test]
    fn the_longest_and_the_deepest_are_no_trouble() {
        let sum = |n: usize| check(&format!("SELECT 1{}", "+1".repeat(n)), &[]);
        assert_eq!(sum(199), Ok(()));
        let deep = Err("must only read, without an expression 200 deep".to_owned());
        for n in [200, (SQL_BYTES_MAX - 8) / 2] {
            assert_eq!(sum(n), deep, "{n}");
        }
        assert_eq!(sum(SQL_BYTES_MAX / 2), Err("must have at most 4096 bytes".to_owned()));
        let deep = format!("SELECT {}", "(".repeat(2000));
        assert!(check(&deep, &[]).unwrap_err().starts_with("is no SQL"));
    }
}
