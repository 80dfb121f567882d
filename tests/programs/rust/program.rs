// Rust: traits and generics, closures, collections, strings, panics caught by unwinding through code
// that was compiled late, threads and channels, thread-locals, Drop order, integer overflow checks.
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::panic;
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

trait Shape {
    fn area(&self) -> f64;
    fn name(&self) -> String {
        "shape".to_string()
    }
}
struct Square(f64);
struct Circle {
    radius: f64,
}
impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}
impl Shape for Circle {
    fn area(&self) -> f64 {
        3.0 * self.radius * self.radius
    }
    fn name(&self) -> String {
        format!("circle of {}", self.radius)
    }
}
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(i64),
    Operator(char),
    Open,
    Close,
}
#[derive(Debug)]
enum ParseError {
    Unexpected(char),
    End,
}
impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ParseError::Unexpected(c) => write!(f, "unexpected {c:?}"),
            ParseError::End => write!(f, "unexpected end"),
        }
    }
}
fn tokenize(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(&c) = characters.peek() {
        match c {
            ' ' => {
                characters.next();
            }
            '0'..='9' => {
                let mut value = 0;
                while let Some(digit) = characters.peek().and_then(|c| c.to_digit(10)) {
                    value = value * 10 + i64::from(digit);
                    characters.next();
                }
                tokens.push(Token::Number(value));
            }
            '+' | '-' | '*' | '/' => {
                tokens.push(Token::Operator(c));
                characters.next();
            }
            '(' | ')' => {
                tokens.push(if c == '(' { Token::Open } else { Token::Close });
                characters.next();
            }
            other => return Err(ParseError::Unexpected(other)),
        }
    }
    Ok(tokens)
}
struct Parser {
    tokens: Vec<Token>,
    at: usize,
}
impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }
    fn sum(&mut self) -> Result<i64, ParseError> {
        let mut value = self.product()?;
        while let Some(Token::Operator(c @ ('+' | '-'))) = self.peek().cloned() {
            self.at += 1;
            let right = self.product()?;
            value = if c == '+' { value + right } else { value - right };
        }
        Ok(value)
    }
    fn product(&mut self) -> Result<i64, ParseError> {
        let mut value = self.atom()?;
        while let Some(Token::Operator(c @ ('*' | '/'))) = self.peek().cloned() {
            self.at += 1;
            let right = self.atom()?;
            value = if c == '*' { value * right } else { value / right };
        }
        Ok(value)
    }
    fn atom(&mut self) -> Result<i64, ParseError> {
        let token = self.peek().cloned().ok_or(ParseError::End)?;
        self.at += 1;
        match token {
            Token::Number(n) => Ok(n),
            Token::Open => {
                let value = self.sum()?;
                self.at += 1;
                Ok(value)
            }
            Token::Close => Err(ParseError::Unexpected(')')),
            Token::Operator(c) => Err(ParseError::Unexpected(c)),
        }
    }
}
fn evaluate(text: &str) -> Result<i64, ParseError> {
    Parser { tokens: tokenize(text)?, at: 0 }.sum()
}
struct Noisy(&'static str);
impl Drop for Noisy {
    fn drop(&mut self) {
        println!("drop {}", self.0);
    }
}
thread_local! {
    static LOCAL: RefCell<Vec<i32>> = RefCell::new(vec![1]);
}
fn fails(kind: u32) -> i32 {
    let _guard = Noisy("guard");
    let values = vec![1, 2, 3];
    match kind {
        0 => panic!("on purpose"),
        1 => values[std::hint::black_box(7)],
        2 => std::hint::black_box(1) / std::hint::black_box(0),
        3 => None::<i32>.expect("nothing here"),
        _ => values.iter().sum(),
    }
}

fn main() {
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Square(2.0)), Box::new(Circle { radius: 1.5 })];
    for shape in &shapes {
        println!("{} {:.2}", shape.name(), shape.area());
    }
    for text in ["1 + 2 * 3", "(1+2)*3-4/2", "2 * (3", "1 + ?", "", "((((7))))"] {
        match evaluate(text) {
            Ok(value) => println!("{text} = {value}"),
            Err(error) => println!("{text}: {error}"),
        }
    }
    let mut counts = BTreeMap::new();
    for word in "the cat and the dog and the bird".split_whitespace() {
        *counts.entry(word).or_insert(0) += 1;
    }
    println!("{counts:?}");
    let squares: HashMap<u64, u64> = (0..100).map(|n| (n, n * n)).collect();
    let distinct: HashSet<u64> = squares.values().map(|v| v % 10).collect();
    println!("{} {} {}", squares[&12], distinct.len(), squares.values().sum::<u64>());
    let mut words: Vec<String> = ["pear", "fig", "apple", "kiwi"].iter().map(|s| s.to_uppercase()).collect();
    words.sort_by_key(|w| (w.len(), w.clone()));
    println!("{}", words.join(","));

    panic::set_hook(Box::new(|info| {
        let what = info.payload().downcast_ref::<&str>().map(|s| s.to_string());
        let what = what.or_else(|| info.payload().downcast_ref::<String>().cloned());
        println!("hook: {}", what.unwrap_or_default());
    }));
    for kind in 0..5 {
        println!("{kind}: {:?}", panic::catch_unwind(|| fails(kind)).ok());
    }

    let total = Arc::new(Mutex::new(0u64));
    let (sender, receiver) = mpsc::channel();
    let workers: Vec<_> = (0..8u64)
        .map(|id| {
            let (total, sender) = (Arc::clone(&total), sender.clone());
            thread::spawn(move || {
                LOCAL.with(|local| local.borrow_mut().push(id as i32));
                *total.lock().unwrap() += (1..=id).product::<u64>();
                sender.send(id * 10 + LOCAL.with(|local| local.borrow().len() as u64)).unwrap();
            })
        })
        .collect();
    drop(sender);
    let mut received: Vec<u64> = receiver.iter().collect();
    received.sort_unstable();
    for worker in workers {
        worker.join().unwrap();
    }
    println!("{} {:?} {}", total.lock().unwrap(), received, LOCAL.with(|l| l.borrow().len()));
    let failed = thread::spawn(|| fails(0)).join();
    println!("{}", failed.is_err());
    let _last = Noisy("last");
    std::process::exit(if received.len() == 8 { 5 } else { 1 });
}
