//! Nodes that are killed: the others go on, the killed come back, nothing that was acknowledged is lost.

use crate::support::{BANKS, PROGRAM, json, line, number, text};
use counterfoil::{
    booking,
    cluster::Cluster,
    demo::PRODUCT,
    import::{What, portfolio},
    servicer::Servicer,
};
use counterfoil_ledger::{genesis::Role, names::ProductId};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(120);
const MEMBERS: [(&str, Role); 5] = [
    ("bank-a", Role::Bank),
    ("bank-b", Role::Bank),
    ("bank-c", Role::Bank),
    ("bank-d", Role::Bank),
    ("regulator", Role::Regulator),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_come_back_and_nothing_acknowledged_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::found(dir.path(), Path::new(PROGRAM), &MEMBERS, &[PRODUCT]).unwrap();
    for bank in BANKS {
        cluster.start(bank).unwrap();
    }
    cluster.ready(&BANKS, 3, PATIENCE).await.unwrap();

    let partners: Vec<_> = BANKS.iter().skip(1).map(|name| (*name).to_owned()).collect();
    let portfolio = portfolio::generate(5, 24, 12, 5_000_000, (&partners, 3));
    let total = u64::try_from(portfolio.openings.len() + portfolio.events.len()).unwrap();
    let booked = Arc::new(AtomicU64::new(0));
    let (home, inner, source) = (cluster.home("bank-a").unwrap().clone(), booked.clone(), portfolio.clone());
    let import = tokio::spawn(async move {
        let mut servicer = Servicer::open(&home)?;
        let progress = Arc::new(move |n| {
            inner.fetch_add(n, Ordering::SeqCst);
        });
        booking::book(&mut servicer, ProductId(0), &source, progress).await
    });
    let reach = |part: u64| {
        let booked = booked.clone();
        async move {
            let begin = std::time::Instant::now();
            while booked.load(Ordering::SeqCst) < part {
                assert!(begin.elapsed() < PATIENCE, "stuck at {} of {part}", booked.load(Ordering::SeqCst));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };

    // One of four: the others go on.
    reach(total / 5).await;
    cluster.kill("bank-c").unwrap();
    reach(total * 2 / 5).await;
    cluster.start("bank-c").unwrap();

    // All four at once, in the middle of whatever they do.
    reach(total * 3 / 5).await;
    for bank in BANKS {
        cluster.kill(bank).unwrap();
    }
    let acknowledged = booked.load(Ordering::SeqCst);
    for bank in BANKS {
        // What was acknowledged stands in every log of a quorum; here: in that of the servicer's own node, at once.
        let chain = cluster.home(bank).unwrap().chain();
        let genesis = dir.path().join("genesis.toml");
        let checked = json(&["verify", "--chain", text(&chain), "--genesis", text(&genesis), "--json"]);
        if bank == "bank-a" {
            assert!(number(&checked, "events") >= acknowledged, "{checked} lost some of {acknowledged}");
        }
    }
    cluster.start_all().unwrap();
    let summary = import.await.unwrap().unwrap();
    assert_eq!(summary.loans + summary.payments, total);
    assert_eq!(booked.load(Ordering::SeqCst), total);

    // The regulator joins late and catches up with everything.
    let all = ["bank-a", "bank-b", "bank-c", "bank-d", "regulator"];
    let (height, _) = cluster.agree(&all, 1, PATIENCE).await.unwrap();
    assert!(height > 0);
    let audit = json(&["audit", "--home", text(cluster.home("regulator").unwrap().path()), "--json"]);
    let lent: u64 = portfolio.openings.iter().map(|o| o.principal).sum();
    let paid = portfolio.events.iter().filter_map(|event| match event.what {
        What::Paid { principal, interest, .. } => Some((principal, interest)),
        _ => None,
    });
    let (repaid, interest) = paid.fold((0, 0), |sum, paid| (sum.0 + paid.0, sum.1 + paid.1));
    let sum = |name: &str| BANKS.iter().map(|bank| number(line(&audit, bank), name)).sum::<u64>();
    assert_eq!((sum("lent"), sum("outstanding"), sum("interest")), (lent, lent - repaid, interest));
    assert_eq!(audit["findings"].as_array().unwrap().len(), 0);

    // Running the import again books nothing twice.
    let mut servicer = Servicer::open(cluster.home("bank-a").unwrap()).unwrap();
    let again = booking::book(&mut servicer, ProductId(0), &portfolio, Arc::new(|_| ())).await.unwrap();
    assert_eq!((again.already, again.batches), (total, 0));
    cluster.stop().await.unwrap();
}
