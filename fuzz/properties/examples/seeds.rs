//! Writes the seeds that are made of good batches, proofs, blocks and messages, beside those written by hand:
//! `cargo run --release -p counterfoil-properties --example seeds`. Run it when a format changes.
//!
//! A seed whose name begins with `good` must be accepted by its property, or the replay fails: so none goes stale unseen.

#![allow(clippy::arithmetic_side_effects, reason = "the places of nine batches")]

use counterfoil_crypto::{
    identity::Signature,
    labels,
    quorum::{Certificate, VoteKind},
    view_key::PublicViewKey,
};
use counterfoil_ledger::{
    block::{Block, BlockHeader, Decided, VERSION, batches_root},
    book::{Account, Head, Loan, Position},
    names::{MemberId, ProductId},
    share::{IdentityText, TermsText},
};
use counterfoil_properties::{chain, keys, notice, world};
use curve25519_dalek::{constants::RISTRETTO_BASEPOINT_COMPRESSED, scalar::Scalar};
use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    for (target, name, bytes) in all() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// Terms for a product, most of them left out.
const TERMS: &str = "\n[terms]\nschedule = \"annuity\"\nday_count = \"ACT/365F\"\n[terms.waterfall]\n\
                     in_advance = [\"principal\", \"penalty\", \"fee\", \"interest\"]\n[terms.waterfall.non_accrual]\n\
                     direction = \"horizontal\"\n";

type Seed = (&'static str, String, Vec<u8>);

fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes| seeds.push((target, name.to_owned(), bytes));
    batches(&mut add);
    blocks(&mut add);
    notices(&mut add);
    small(&mut add);
    peers(&mut add);
    tables(&mut add);
    seeds
}

fn bytes(value: &impl borsh::BorshSerialize) -> Vec<u8> {
    borsh::to_vec(value).expect("memory takes all")
}

/// A byte that chooses, and what is chosen for.
fn chosen(choice: u8, rest: &[u8]) -> Vec<u8> {
    [&[choice], rest].concat()
}

fn batches(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    for (place, batch) in (0u8..).zip(&world::world().batches) {
        let name = batch.batch.content.header.kind.name();
        add("batch_bytes", &format!("good-{name}"), batch.to_bytes());
        add("batch_forged", &format!("good-{name}"), vec![place]);
        add("batch_forged", &format!("good-{name}-signed"), vec![128 + place]);
        // A bit in the middle, signed; two points changed over; cut.
        add("batch_forged", &format!("bit-{name}"), vec![128 + place, 0, 3, 0, 1]);
        add("batch_forged", &format!("moved-{name}"), vec![128 + place, 8, 2, 0, 2, 32]);
        add("batch_forged", &format!("cut-{name}"), vec![place, 3, 4, 0]);
        add("section_text", &format!("good-{name}"), vec![place]);
    }
    add("section_text", "amount", vec![0, 2, 1, 1]);
    add("section_text", "longer", vec![1, 4, 0, 0]);
}

fn blocks(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let world = world::world();
    // The smallest batch alone, so that the seed stays small.
    let batches = vec![world.batches[0].to_bytes()[..200].to_vec()];
    let header = BlockHeader {
        version: VERSION,
        consortium: world.consortium.id(),
        height: 1,
        previous: [0; 32],
        batches: batches_root(&batches),
        state: [3; 32],
    };
    let certificate = Certificate {
        height: 1,
        round: 0,
        block: header.id(),
        votes: vec![(0, Signature::from_bytes([5; 64])), (1, Signature::from_bytes([6; 64]))],
    };
    let block = Block { header: header.clone(), batches };
    add("chain_bytes", "good-block", chosen(0, &block.to_bytes()));
    let decided = Decided { block, certificate: certificate.clone(), outcomes: vec![None] };
    add("chain_bytes", "good-decided", chosen(1, &bytes(&decided)));
    add("chain_bytes", "good-header", chosen(2, &bytes(&header)));
    add("chain_bytes", "good-certificate", chosen(3, &bytes(&certificate)));
    add("chain_bytes", "good-genesis", chosen(4, &bytes(world.consortium.genesis())));
    let [present, absent] = chain::good_state_proofs();
    add("chain_bytes", "good-proof-of-presence", chosen(5, &present));
    add("chain_bytes", "good-proof-of-absence", chosen(5, &absent));
    let point = world.keys[0].view.public().encoded();
    let account = Account { balance: point, handles: vec![point, point] };
    add("chain_bytes", "good-account", chosen(6, &bytes(&account)));
    let owner = world.keys[0].view.public().owner_key(&Scalar::from(9u64));
    let positions = vec![Position { owner, share: point, principal: point, written_off: true }];
    let loan = Loan {
        servicer: MemberId(0),
        product: ProductId(0),
        positions,
        bucket: counterfoil_ledger::names::Bucket::Current,
    };
    add("chain_bytes", "good-loan", chosen(7, &bytes(&loan)));
    add("chain_bytes", "good-head", chosen(8, &bytes(&Head { sequence: 3, last: [1; 32], merged: 1 })));
    // A top-up of 5 under a blinding of zero.
    add("chain_bytes", "good-share", chosen(9, &[&[0, 5][..], &[0; 39]].concat()));
    let identity = IdentityText { reference: "loan 1".into(), shard: [4; 32] };
    add("chain_bytes", "good-identity", chosen(10, &bytes(&identity)));
    let terms = TermsText { principal: 12_345, text: "12 months, 10 %".into() };
    add("chain_bytes", "good-terms", chosen(11, &bytes(&terms)));
    add("chain_bytes", "good-records", chosen(12, &bytes(&world.batches[0].records)));
    add("chain_bytes", "good-content", chosen(13, &bytes(&world.batches[0].batch.content)));
}

fn notices(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    for (target, good) in [("attestation", notice::good_attestation()), ("decree", notice::good_decree())] {
        add(target, "good-bytes", chosen(0, &good));
        add(target, "good-near", vec![1]);
        add(target, "bit", vec![1, 0, 0, 50, 3]);
        add(target, "cut", vec![1, 3, 0, 60]);
        add(target, "longer", vec![1, 4, 0, 0]);
        // The version; the tag of the other kind.
        add(target, "version", vec![1, 1, 0, 0, 2]);
        add(target, "tag", vec![1, 0, 0, 1, 0, 0, 0, 1, 1]);
    }
    add("attestation", "good-signed", vec![2]);
    // Of the content: a bit of the epoch; of the first account's balance; the second account's kind.
    add("attestation", "good-signed-epoch", vec![2, 0, 0, 34, 3]);
    add("attestation", "good-signed-balance", vec![2, 0, 0, 60, 3]);
    add("attestation", "signed-consortium", vec![2, 0, 0, 0, 0]);
    add("decree", "good-signed", vec![2, 2, 0, 1]);
    add("decree", "good-signed-later", vec![2, 2, 0, 1, 0, 33, 0]);
    add("decree", "too-few", vec![2, 1, 1]);
    add("decree", "twice", vec![2, 2, 1, 1]);
    add("decree", "regulator", vec![2, 3, 0, 1, 2]);
}

fn small(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let world = world::world();
    add("keys", "good-point", chosen(0, RISTRETTO_BASEPOINT_COMPRESSED.as_bytes()));
    add("keys", "good-identity-point", chosen(0, &[0; 32]));
    add("keys", "good-scalar", chosen(1, &(-Scalar::ONE).to_bytes()));
    let member = &world.keys[0];
    let signature = member.identity.sign(labels::VOTE_SIGNATURE, keys::MESSAGE);
    let signed = [&member.identity.public().as_bytes()[..], signature.as_bytes()].concat();
    add("keys", "good-signature", chosen(2, &signed));
    let registered = &world.consortium.genesis().members[0];
    let possession = [&registered.view_key.as_bytes()[..], &registered.possession].concat();
    add("keys", "good-possession", chosen(3, &possession));
    add("keys", "good-envelope-key", chosen(4, member.envelope.public().as_bytes()));
    add("keys", "good-envelope", chosen(5, &bytes(&keys::good_envelope())));
    add("keys", "good-section", chosen(6, &bytes(&keys::good_section())));
    let key = PublicViewKey::decode(registered.view_key).expect("it is registered");
    add("keys", "good-owner-key", chosen(7, &bytes(&key.owner_key(&Scalar::from(9u64)))));
    for shape in 0..8u8 {
        add("range_proof", &format!("good-{shape}"), vec![shape]);
    }
    add("range_proof", "bit", vec![2, 0, 1, 0, 1]);
    add("range_proof", "identity", vec![0, 6, 0, 0, 0]);
    // The group order on top of t_x, the fifth word; two points changed over.
    add("range_proof", "second-form", vec![0, 7, 0, 128]);
    add("range_proof", "moved", vec![0, 8, 0, 0, 0, 32]);
    add("range_proof", "commitment", vec![0x40, 0, 0, 7, 0]);
    add("range_proof", "fewer", vec![0x82, 1]);
    add("joint_check", "good-one", vec![0]);
    add("joint_check", "good-all-kinds", vec![3, 0, 0, 5, 8, 7]);
    add("joint_check", "opposite", vec![3, 1, 8, 8, 0, 0, 1, 0, 1, 0, 2]);
    add("joint_check", "one-wrong", vec![1, 0, 0x40, 0, 1, 0, 1, 8]);
    // The files of the log: two segments, then `acknowledged`, which only sharpens the judgement of a tear.
    add("log_damaged", "good", vec![0]);
    add("log_damaged", "bit", vec![2, 0, 100, 3]);
    add("log_damaged", "cut", vec![6, 3, 0, 80]);
    add("log_damaged", "empty", vec![3]);
    add("log_damaged", "good-unacknowledged", vec![5]);
    let status = bytes(&(1u32, 0u8)); // length, Status
    add("control", "good-request", chosen(0, &status));
    add("control", "good-submit", chosen(0, &bytes(&(9u32, 1u8, b"seal".to_vec()))));
    add("control", "good-refused", chosen(1, &bytes(&(8u32, 2u8, 7u8, "no".to_owned()))));
    add("control", "too-long", chosen(0, &[0xff, 0xff, 0xff, 0x7f]));
}

fn peers(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let (block, signature) = (Some([9u8; 32]), Signature::from_bytes([5; 64]));
    let vote = bytes(&(VoteKind::Prevote, 7u64, 1u32, block, 3u16, signature));
    let proposal = bytes(&(7u64, 1u32, [9u8; 32], Some(0u32), 3u16, signature));
    let polka = bytes(&(7u64, 1u32, [9u8; 32], vec![(0u16, signature)]));
    let change = bytes(&(7u64, 1u32, true, vec![(VoteKind::Precommit, block, 3u16, signature)]));
    let pushed = bytes(&(7u64, 1u32, vec![1u8, 2, 3]));
    let want = bytes(&(7u64, [9u8; 32]));
    let decided = bytes(&(7u64, 0u32, [9u8; 32], vec![(0u16, signature)], vec![1u8, 2, 3]));
    let height = bytes(&7u64);
    let messages: [(&str, &[u8]); 9] = [
        ("vote", &vote),
        ("proposal", &proposal),
        ("polka", &polka),
        ("round-change", &change),
        ("block", &pushed),
        ("want", &want),
        ("status", &height),
        ("ask", &height),
        ("decided", &decided),
    ];
    for (number, (name, body)) in (0u8..).zip(messages) {
        add("peer_bytes", &format!("good-{name}"), [&[0, 1, number][..], body].concat());
    }
    for (number, (name, body)) in (0u8..).zip([("vote", &vote), ("proposal", &proposal), ("polka", &polka)]) {
        add("peer_bytes", &format!("good-record-{name}"), [&[1, number][..], body].concat());
    }
    add("peer_bytes", "good-record-timeout", vec![1, 3, 2, 1, 0, 0, 0]);
    add("peer_bytes", "good-stream", vec![2, 1, 3, 0, 0, 0, 7, 8, 9, 0, 0, 0, 0]);
    add("peer_bytes", "stream-of-strangers", vec![2, 9, 0, 0, 0, 0]);
    add("peer_bytes", "frame-too-long", vec![2, 1, 0xff, 0xff, 0xff, 0xff]);
    add("journal_damaged", "good", vec![0]);
    add("journal_damaged", "torn", vec![0, 3, 1, 0xe0]);
    add("journal_damaged", "bit", vec![0, 0, 0, 40, 1]);
    add("journal_damaged", "empty", vec![1]);
    // Connected; the tip is 3; asked for and sent: the first height, the second with too few votes.
    let status = [&[0, 10, 1, 0, 0, 10, 1, 6, 3][..], &[0; 7]].concat();
    let decided = [0, 7, 1, 0, 0, 0x0e, 0, 7, 2, 0, 0, 0x0c];
    add("peer_replica", "good-decided", [&[1][..], &status, &decided].concat());
    add("peer_replica", "forged-votes", [&[0][..], &status, &decided].concat());
    add("peer_replica", "good-voted", voted());
    add(
        "peer_replica",
        "doubled",
        vec![0, 0, 11, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 9, 0, 0, 11, 1],
    );
}

/// Round 0 of height 1 is member 1's to propose: its block, its proposal, and everybody's votes.
fn voted() -> Vec<u8> {
    let block = [0, 5, 1, 0, 0];
    let proposal = [0, 3, 1, 0, 0, 0];
    let vote = |peer: u8, kind: u8| [peer, 1, kind, 1, 0, 0, 0];
    let votes = (0..2).flat_map(|kind| (0..3).flat_map(move |peer| vote(peer, kind)));
    [1].into_iter().chain(block).chain(proposal).chain(votes).collect()
}

fn tables(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let loans = "loan_id,term_m,rate,first_period,first_begin_bal_c\n7,60,0.0729,2017-05,100000\n";
    let head = "loan_id,period,begin_c,principal_c,payment_c,end_c,recovery_c,repo_proceeds_c,kind\n";
    let rows = "7,2017-05,100000,1000,1600,99000,,,payment\n7,2017-06,99000,99000,99600,0,0,0,payoff\n";
    let events = format!("{head}{rows}");
    let table = |loans: &str, events: &str| {
        let length = u16::try_from(loans.len()).expect("a small table").to_be_bytes();
        [&[3][..], &length, loans.as_bytes(), events.as_bytes()].concat()
    };
    add("import", "good", table(loans, &events));
    add("import", "good-windows", table(&loans.replace('\n', "\r\n"), &events.replace('\n', "\r\n")));
    add("import", "good-other-kinds", table(loans, &events.replace("payoff", "chargeoff")));
    add("import", "good-overpaid", table(loans, &events.replace(",0,0,0,payoff", ",-5,0,0,payoff")));
    add("import", "does-not-foot", table(loans, &events.replace("99000,99000", "99000,98000")));
    add("import", "open-quote", table(loans, &events.replace("payoff", "\"payoff")));
    let extract = "loan,event,component,side,amount,currency,value_date,booking_date,event_key,bucket,account,customer\n\
        L1,drawn,principal,debit,100.00,CNY,2017-05-01,2017-05-01,E1,,A1,C1\n\
        L1,status,principal,debit,0,CNY,2017-05-01,,,current,,\n\
        L1,repaid,interest,credit,1.25,CNY,2017-06-01,2017-06-02,E2,,A1,C1\n";
    add("extract", "good", extract.into());
    add("extract", "good-windows", format!("\u{feff}{}", extract.replace('\n', "\r\n")).into_bytes());
    add("extract", "three-decimals", extract.replace("1.25", "1.255").into());
    add("extract", "open-quote", extract.replace("L1,repaid", "\"L1,repaid").into());
    let statement = "<Document><BkToCstmrStmt><Stmt><Ntry><Amt Ccy=\"CNY\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>\
        2017-06-01</Dt></BookgDt><BkTxCd><Domn><Cd>LDAS</Cd><Fmly><Cd>SYDN</Cd><SubFmlyCd>PPAY</SubFmlyCd></Fmly></Domn>\
        </BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>L&amp;1</EndToEndId></Refs></TxDtls></NtryDtls></Ntry></Stmt>\
        </BkToCstmrStmt></Document>";
    add("extract", "good-statement", statement.into());
    add("extract", "statement-cut", statement[..300].into());
    let text = |choice: u8, text: &str| [&[choice, 2][..], text.as_bytes()].concat();
    add("text", "good-amount", text(0, "1234.50"));
    add("text", "good-amount-zeros", text(0, "007.1"));
    add("text", "amount-comma", text(0, "1,234"));
    add("text", "good-product", text(1, world::PRODUCT));
    add("text", "good-product-terms", text(1, &[world::PRODUCT, TERMS].concat()));
    add("text", "product-unknown-key", text(1, "name = \"x\"\nwidht = 32\n"));
    add("text", "good-month", text(2, "2017-05"));
    add(
        "text",
        "good-configuration",
        text(3, "listen = \"0.0.0.0:7000\"\n[peers]\nbank-b = \"10.0.0.2:7000\"\n"),
    );
    add("text", "good-member", text(4 + 1, &member()));
    add("text", "good-genesis", text(4, &genesis()));
}

/// `member.toml` of the first member.
fn member() -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let member = &world::world().consortium.genesis().members[0];
    format!(
        "name = \"{}\"\nrole = \"bank\"\nidentity = \"{}\"\nview_key = \"{}\"\nenvelope_key = \"{}\"\n\
         possession = \"{}\"\nsignature = \"{}\"\n",
        member.name,
        hex(member.identity.as_bytes()),
        hex(member.view_key.as_bytes()),
        hex(member.envelope_key.as_bytes()),
        hex(&member.possession),
        hex(member.signature.as_bytes()),
    )
}

fn genesis() -> String {
    format!("version = 1\nname = \"fuzz\"\nproduct = []\n\n[[member]]\n{}", member())
}
