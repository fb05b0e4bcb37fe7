//! Tokens to a rule over terms. Length, depth and number of terms are bounded.

use super::term::{self, Term};
use super::token::{self, Token, TokenKind};
use super::{QueryError, Reference, TermSet};
use crate::text::Pattern;

/// The most bytes of a query.
const LONGEST: usize = 4096;

/// The most parentheses within parentheses, and `not`s in front of each other.
const DEPTH: usize = 32;

/// How terms are joined; terms stand by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// That term holds.
    Term(usize),
    /// It does not hold.
    Not(Box<Rule>),
    /// All of them hold.
    And(Vec<Rule>),
    /// One of them holds.
    Or(Vec<Rule>),
}

impl Rule {
    /// Whether it only holds where that term does.
    pub(super) fn requires(&self, term: usize) -> bool {
        match self {
            Rule::Term(number) => *number == term,
            Rule::Not(_) => false,
            Rule::And(rules) => rules.iter().any(|rule| rule.requires(term)),
            Rule::Or(rules) => !rules.is_empty() && rules.iter().all(|rule| rule.requires(term)),
        }
    }

    /// Whether it holds if exactly `terms` do.
    pub(super) fn holds(&self, terms: TermSet) -> bool {
        match self {
            Rule::Term(term) => terms.contains(*term),
            Rule::Not(rule) => !rule.holds(terms),
            Rule::And(rules) => rules.iter().all(|rule| rule.holds(terms)),
            Rule::Or(rules) => rules.iter().any(|rule| rule.holds(terms)),
        }
    }
}

/// Reads a whole query.
pub(super) fn parse(typed: &str, reference: &Reference) -> Result<(Vec<Term>, Rule), QueryError> {
    if typed.len() > LONGEST {
        let end = typed.floor_char_boundary(LONGEST);
        return Err(QueryError::new(
            end..typed.len(),
            format!("this filter is too long: write {LONGEST} bytes at most"),
        ));
    }
    let mut parser = Parser {
        typed,
        tokens: token::tokens(typed, term::is_field)?,
        next: 0,
        reference,
        terms: Vec::new(),
    };
    let rule = parser.or(0)?;
    match parser.peek() {
        None => Ok((parser.terms, rule)),
        // Only a parenthesis ends what `or` reads.
        Some(token) => Err(QueryError::new(
            token.at.clone(),
            "no parenthesis is open here: leave it out, or put it in quotes to search for it",
        )),
    }
}

struct Parser<'a> {
    typed: &'a str,
    tokens: Vec<Token<'a>>,
    next: usize,
    reference: &'a Reference,
    terms: Vec<Term>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token<'a>> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    fn next_is(&self, kind: &TokenKind<'_>) -> bool {
        self.peek().is_some_and(|token| token.kind == *kind)
    }

    fn or(&mut self, depth: usize) -> Result<Rule, QueryError> {
        let mut rules = vec![self.and(depth)?];
        while self.next_is(&TokenKind::Or) {
            self.next += 1;
            rules.push(self.and(depth)?);
        }
        Ok(one_or(rules, Rule::Or))
    }

    fn and(&mut self, depth: usize) -> Result<Rule, QueryError> {
        let mut rules = vec![self.not(depth)?];
        loop {
            match self.peek().map(|token| &token.kind) {
                Some(TokenKind::And) => self.next += 1,
                None | Some(TokenKind::Or | TokenKind::Close) => return Ok(one_or(rules, Rule::And)),
                Some(
                    TokenKind::Open
                    | TokenKind::Not
                    | TokenKind::Word(_)
                    | TokenKind::Quoted(_)
                    | TokenKind::Field { .. },
                ) => {}
            }
            rules.push(self.not(depth)?);
        }
    }

    fn not(&mut self, depth: usize) -> Result<Rule, QueryError> {
        let Some(token) = self.take() else {
            let end = self.typed.len();
            return Err(QueryError::new(
                end..end,
                "a condition is missing here: write one, as in dir:rx",
            ));
        };
        if depth >= DEPTH {
            return Err(QueryError::new(
                token.at,
                "this is too deep: write fewer parentheses",
            ));
        }
        match token.kind {
            TokenKind::Not => Ok(Rule::Not(Box::new(self.not(depth + 1)?))),
            TokenKind::Open => {
                let rule = self.or(depth + 1)?;
                if self.next_is(&TokenKind::Close) {
                    self.next += 1;
                    return Ok(rule);
                }
                Err(QueryError::new(
                    token.at,
                    "this parenthesis is not closed: write ) behind what belongs together",
                ))
            }
            TokenKind::Word(word) => {
                let pattern = Pattern::text(word).map_err(|error| error.moved(token.at.start))?;
                self.term(&token.at, Term::Pattern(pattern))
            }
            TokenKind::Quoted(text) => {
                let pattern = Pattern::quoted(text).map_err(|error| error.moved(token.at.start))?;
                self.term(&token.at, Term::Pattern(pattern))
            }
            TokenKind::Field {
                name,
                comparison,
                value,
            } => {
                let (term, holds) = term::read(name, comparison, &value, &token.at, self.reference)?;
                let rule = self.term(&token.at, term)?;
                Ok(if holds { rule } else { Rule::Not(Box::new(rule)) })
            }
            TokenKind::Close | TokenKind::And | TokenKind::Or => Err(QueryError::new(
                token.at,
                "a condition is missing before this: write one, as in dir:rx, or put this in quotes to search for it",
            )),
        }
    }

    fn term(&mut self, at: &std::ops::Range<usize>, term: Term) -> Result<Rule, QueryError> {
        if self.terms.len() >= TermSet::MOST {
            return Err(QueryError::new(
                at.clone(),
                format!("these are too many conditions: write {} at most", TermSet::MOST),
            ));
        }
        self.terms.push(term);
        Ok(Rule::Term(self.terms.len() - 1))
    }
}

fn one_or(mut rules: Vec<Rule>, join: fn(Vec<Rule>) -> Rule) -> Rule {
    match rules.pop() {
        Some(only) if rules.is_empty() => only,
        last => {
            rules.extend(last);
            join(rules)
        }
    }
}
