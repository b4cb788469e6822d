//! The commands as a newcomer types them: they work, and when they do not they say what to do.

use crate::support::{failure, json, run, text};
use counterfoil::demo::PRODUCT;

#[test]
fn a_consortium_is_made_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let mut genesis = vec!["genesis".to_owned(), "--name".into(), "by hand".into(), "--json".into()];
    for name in ["bank-a", "bank-b", "bank-c", "bank-d", "regulator"] {
        let role = if name == "regulator" { "regulator" } else { "bank" };
        json(&["keygen", "--home", text(&at(name)), "--name", name, "--role", role, "--json"]);
        genesis.extend(["--member".into(), text(&at(name).join("member.toml")).to_owned()]);
    }
    std::fs::write(at("product.toml"), PRODUCT).unwrap();
    genesis.extend([
        "--product".into(),
        text(&at("product.toml")).into(),
        "--out".into(),
        text(&at("g.toml")).into(),
    ]);
    let args: Vec<_> = genesis.iter().map(String::as_str).collect();
    let made = json(&args);
    assert_eq!(made["banks"], 4);
    assert_eq!(made["id"].as_str().unwrap().len(), 64);

    // The key is its owner's alone, and is never overwritten.
    use std::os::unix::fs::PermissionsExt as _;
    let key = at("bank-a").join("key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let again = failure(&["keygen", "--home", text(&at("bank-a")), "--name", "bank-a"]);
    assert!(again.contains("never overwritten"), "{again}");
    std::fs::copy(at("g.toml"), at("bank-a").join("genesis.toml")).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let readable = failure(&["view", "--home", text(&at("bank-a"))]);
    assert!(readable.contains("readable by others"), "{readable}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let no_chain = failure(&["view", "--home", text(&at("bank-a"))]);
    assert!(no_chain.contains("counterfoil node"), "{no_chain}");
    let no_node = failure(&["status", "--home", text(&at("bank-a"))]);
    assert!(no_node.contains("counterfoil node --home"), "{no_node}");
    let wrong_role = failure(&["audit", "--home", text(&at("bank-a"))]);
    assert!(wrong_role.contains("counterfoil view"), "{wrong_role}");

    let no_regulator = failure(&["totals", "--home", text(&at("bank-a"))]);
    assert!(no_regulator.contains("counterfoil view"), "{no_regulator}");

    // A vote to retire a suite, and votes that do not belong together or to this consortium.
    let vote = |bank: &str, from: &str, out: &str| {
        std::fs::copy(at("g.toml"), at(bank).join("genesis.toml")).unwrap();
        let (home, out) = (at(bank), at(out));
        let args = ["suite", "sign", "--home", text(&home), "--retire", "1", "--from", from];
        json(&[&args[..], &["--out", text(&out), "--json"]].concat())
    };
    assert_eq!(vote("bank-a", "5000", "a.vote")["from"], 5000);
    vote("bank-b", "6000", "b.vote");
    let retire = |votes: &[&str]| {
        let (home, votes) = (at("bank-a"), votes.iter().map(|name| at(name)).collect::<Vec<_>>());
        let votes = votes.iter().flat_map(|path| ["--vote", text(path)]);
        failure(&["suite", "retire", "--home", text(&home)].into_iter().chain(votes).collect::<Vec<_>>())
    };
    let mixed = retire(&["a.vote", "b.vote"]);
    assert!(mixed.contains("b.vote") && mixed.contains("another suite or height"), "{mixed}");
    let twice = retire(&["a.vote", "a.vote"]);
    assert!(twice.contains("voted twice"), "{twice}");
    let moved = std::fs::read_to_string(at("a.vote")).unwrap().replace("5000", "5001");
    std::fs::write(at("moved.vote"), moved).unwrap();
    let moved = retire(&["moved.vote"]);
    assert!(moved.contains("moved.vote") && moved.contains("not signed"), "{moved}");
    let (home, out) = (at("bank-a"), at("c.vote"));
    let unknown =
        ["suite", "sign", "--home", text(&home), "--retire", "99", "--from", "9", "--out", text(&out)];
    let unknown = failure(&unknown);
    assert!(unknown.contains("99"), "{unknown}");

    // Attack 25: a genesis edited by hand.
    let edited = std::fs::read_to_string(at("g.toml")).unwrap().replace("bank-b", "bank-x");
    std::fs::write(at("bank-a").join("genesis.toml"), edited).unwrap();
    let refused = failure(&["view", "--home", text(&at("bank-a"))]);
    assert!(refused.contains("genesis.toml") && refused.contains("bank-x"), "{refused}");
}

#[test]
fn a_wrong_product_is_named_with_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    json(&["keygen", "--home", text(&at("a")), "--name", "bank-a", "--json"]);
    std::fs::write(at("p.toml"), PRODUCT.replace("cap =", "cup =")).unwrap();
    let member = at("a").join("member.toml");
    let refused =
        failure(&["genesis", "--name", "x", "--member", text(&member), "--product", text(&at("p.toml"))]);
    assert!(refused.contains("p.toml, line 5, column 1") && refused.contains("`cap`"), "{refused}");
}

#[test]
fn every_command_has_help_with_an_example_and_completions_are_written() {
    for command in [
        "demo", "keygen", "genesis", "node", "import", "view", "audit", "verify", "totals", "suite", "status",
    ] {
        let output = run(&[command, "--help"]);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("Example"), "{command}");
    }
    for command in ["sign", "retire", "list"] {
        let output = run(&["suite", command, "--help"]);
        assert!(String::from_utf8_lossy(&output.stdout).contains("Example"), "suite {command}");
    }
    assert!(String::from_utf8_lossy(&run(&["completions", "--help"]).stdout).contains("Example"));
    assert!(!run(&["completions", "bash"]).stdout.is_empty());
}
