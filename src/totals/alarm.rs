//! An alarm as a file of evidence, and in words.

use anyhow::{Context as _, Result};
use counterfoil_ledger::{
    genesis::Consortium,
    turnstile::{Alarm, Fault},
};
use serde::Serialize;
use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// An alarm as its file of evidence has it. Whoever holds the genesis can check the attestation's signature, and that its
/// commitments are those which the members took at that place of the chain.
#[derive(Clone, Debug, Serialize)]
pub struct AlarmFile {
    consortium: String,
    /// The epoch.
    pub epoch: u64,
    height: u64,
    bank: Option<String>,
    servicer: Option<String>,
    product: Option<String>,
    account: Option<&'static str>,
    /// In words.
    pub alarm: String,
    commitment: Option<String>,
    signed: Option<String>,
    expected: Option<String>,
    attestation: Option<AttestationFile>,
}

#[derive(Clone, Debug, Serialize)]
struct AttestationFile {
    height: u64,
    place: usize,
    transaction: String,
}

impl AlarmFile {
    /// The file of an alarm.
    #[must_use]
    pub fn of(consortium: &Consortium, alarm: &Alarm) -> Self {
        let (signed, expected) = match &alarm.fault {
            Fault::Missing | Fault::NotOpened | Fault::FalseOpening => (None, None),
            Fault::NoAmount { signed } => (Some(hex::encode(signed)), None),
            Fault::Differs { signed, expected } => (Some(signed.to_string()), Some(expected.to_string())),
            Fault::Unbalanced { debits, credits } => (Some(debits.to_string()), Some(credits.to_string())),
            Fault::Sum { signed, expected } => (Some(signed.to_string()), Some(expected.to_string())),
        };
        let evidence = alarm.evidence.as_ref().map(|evidence| AttestationFile {
            height: evidence.height,
            place: evidence.place,
            transaction: hex::encode(&evidence.bytes),
        });
        let product = alarm.place.and_then(|(product, _)| consortium.terms(product));
        Self {
            consortium: hex::encode(consortium.id()),
            epoch: alarm.epoch,
            height: alarm.height,
            bank: alarm.bank.map(|bank| consortium.name(bank).to_owned()),
            servicer: alarm.place.map(|(_, servicer)| consortium.name(servicer).to_owned()),
            product: product.map(|terms| terms.product.name().to_owned()),
            account: alarm.kind.map(counterfoil_ledger::names::AccountKind::name),
            alarm: describe(consortium, alarm),
            commitment: alarm.balance.map(|balance| hex::encode(balance.as_bytes())),
            signed,
            expected,
            attestation: evidence,
        }
    }

    fn name(&self) -> String {
        let part = |text: Option<&str>, otherwise: &str| text.unwrap_or(otherwise).to_owned();
        format!(
            "epoch-{:06}-{}-{}-{}-{}.json",
            self.epoch,
            part(self.bank.as_deref(), "all"),
            part(self.product.as_deref(), "any"),
            part(self.servicer.as_deref(), "any"),
            part(self.account, "accounts")
        )
    }

    /// Writes the file into a folder; `false` when it stands there already, from before a restart.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<bool> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let (path, text) = (folder.join(self.name()), serde_json::to_string_pretty(self)?);
        if path.exists() {
            return Ok(false);
        }
        // Written whole or not at all: a file that a crash cut off would pass for evidence that is there.
        let half = path.with_extension("part");
        let _ = fs::remove_file(&half);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match fs::rename(&half, &path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(error).with_context(|| format!("cannot write {}", path.display()))
            }
            _ => Ok(true),
        }
    }
}

/// An alarm in words.
#[must_use]
pub fn describe(consortium: &Consortium, alarm: &Alarm) -> String {
    let bank = alarm.bank.map_or("all banks", |bank| consortium.name(bank));
    let account = match (alarm.kind, alarm.place) {
        (Some(kind), Some((_, servicer))) => {
            format!("account {} of {bank} with {}", kind.name(), consortium.name(servicer))
        }
        (None, Some((_, servicer))) => format!("the accounts of {bank} with {}", consortium.name(servicer)),
        _ => format!("the accounts of {bank}"),
    };
    match &alarm.fault {
        // Nobody has signed anything that could be shown; what can be shown is the chain.
        Fault::Missing => format!(
            "{bank} did not attest: the chain holds no attestation of it from height {}, where the epoch ended, to the end of the next",
            alarm.height
        ),
        Fault::NotOpened => format!("{account}: not opened"),
        Fault::FalseOpening => format!("{account}: what {bank} signed does not open it"),
        Fault::NoAmount { .. } => format!("{account}: it holds no amount: negative, or a fraction"),
        Fault::Differs { signed, expected } => {
            format!("{account}: it holds {signed}, the records add up to {expected} (minor units)")
        }
        Fault::Unbalanced { debits, credits } => {
            format!("{account}: debits {debits}, credits {credits} (minor units)")
        }
        Fault::Sum { signed, expected } => {
            format!("{account}: together {signed}, but funded, lent and repaid was {expected} (minor units)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn alarm() -> AlarmFile {
        AlarmFile {
            consortium: "00".into(),
            epoch: 3,
            height: 24,
            bank: Some("bank-b".into()),
            servicer: Some("bank-a".into()),
            product: Some("micro-loan".into()),
            account: Some("reserve"),
            alarm: "it holds 5, the records add up to 4".into(),
            commitment: None,
            signed: Some("5".into()),
            expected: Some("4".into()),
            attestation: None,
        }
    }

    #[test]
    fn an_alarm_is_written_once_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("alarms");
        assert!(alarm().write(&folder).unwrap());
        assert!(!alarm().write(&folder).unwrap(), "after a restart it stands there");
        let path = folder.join("epoch-000003-bank-b-micro-loan-bank-a-reserve.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let read: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!((&read["signed"], &read["expected"]), (&"5".into(), &"4".into()));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
