use std::{collections::HashMap, fs, process::Command, sync::mpsc, thread};

fn sum(n: u64) -> u64 {
    (0..n).sum()
}

fn main() {
    let (send, receive) = mpsc::channel();
    for n in [1000u64, 2000, 3000] {
        let send = send.clone();
        thread::spawn(move || send.send((n, sum(n))).unwrap());
    }
    drop(send);
    let sums: HashMap<u64, u64> = receive.iter().collect();
    fs::write("file", "text").unwrap();
    let child = Command::new("/bin/echo").arg("child").output().unwrap();
    println!("{} {} {}", sums[&1000] + sums[&2000] + sums[&3000], fs::read_to_string("file").unwrap(), String::from_utf8_lossy(&child.stdout).trim());
}

#[test]
fn sums_up() {
    assert_eq!(sum(4), 6);
}
