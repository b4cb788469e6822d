//! A member's folder: its key, the genesis, its configuration, its chain.
//!
//! ```text
//! HOME/
//!   key            32 secret bytes in hex, readable by its owner alone
//!   member.toml    the member's registration: public, goes to whoever makes the genesis
//!   genesis.toml   the consortium
//!   node.toml      where this node listens and dials
//!   chain/ votes/  what the node writes
//!   alarms/        what a regulator's node finds that does not add up
//!   node.sock      where the running node listens to its own bank
//! ```

use anyhow::{Context as _, Result, bail, ensure};
use counterfoil_crypto::{
    encoding::Encoded,
    envelope::PublicEnvelopeKey,
    identity::{PublicIdentity, Signature},
    secret::SecretBytes,
};
use counterfoil_ledger::{
    genesis::{Consortium, EPOCH_BLOCKS, Genesis, Keys, Member, Role},
    names::MemberId,
};
use rand_core::OsRng;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// A member's folder.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

/// What a member knows of itself: its consortium, its place in it, its keys.
#[derive(Clone, Debug)]
pub struct Me {
    /// The consortium.
    pub consortium: Arc<Consortium>,
    /// This member.
    pub id: MemberId,
    /// Its keys.
    pub keys: Keys,
}

/// Where a node listens and dials: `node.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// Address and port to listen on (UDP), or `inherited`: a bound socket as standard input.
    pub listen: Option<String>,
    /// Addresses of other members, by name.
    #[serde(default)]
    pub peers: BTreeMap<String, String>,
}

impl Home {
    /// The folder at a path; it need not exist yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the chain lies.
    #[must_use]
    pub fn chain(&self) -> PathBuf {
        self.0.join("chain")
    }

    /// Where the journal of votes lies.
    #[must_use]
    pub fn votes(&self) -> PathBuf {
        self.0.join("votes")
    }

    /// Where the node listens to its own bank.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("node.sock")
    }

    /// Where a regulator's node writes what does not add up.
    #[must_use]
    pub fn alarms(&self) -> PathBuf {
        self.0.join("alarms")
    }

    /// Makes keys and a registration for a new member.
    ///
    /// # Errors
    /// When the folder cannot be written, or has a key already: a key is never overwritten.
    pub fn create(&self, name: &str, role: Role) -> Result<Member> {
        let seed = SecretBytes::random(&mut OsRng);
        let member = Keys::from_seed(&seed).register(name, role, &mut OsRng);
        member.check()?;
        // Nobody else may look into a member's folder, nor open its node's socket before its mode is set.
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.with_context(|| format!("cannot make the folder {}", self.0.display()))?;
        let path = self.0.join("key");
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).with_context(
                || format!("cannot make {}; a key that exists is never overwritten", path.display()),
            )?;
        let text = Zeroizing::new(hex::encode(seed.expose()));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).context("cannot write the key")?;
        write(&self.0.join("member.toml"), &toml::to_string(&MemberFile::from(&member))?)?;
        Ok(member)
    }

    /// The member's keys.
    ///
    /// # Errors
    /// When there is no key, it is readable by others, or is not 32 bytes in hex.
    pub fn keys(&self) -> Result<Keys> {
        let path = self.0.join("key");
        let metadata = fs::metadata(&path).with_context(|| {
            format!("there is no key at {}; make one with `counterfoil keygen`", path.display())
        })?;
        // Attack 27: a key that others can read is no secret.
        ensure!(
            metadata.permissions().mode() & 0o077 == 0,
            "{} is readable by others; run `chmod 600` on it, and consider the key known",
            path.display()
        );
        let text = Zeroizing::new(fs::read_to_string(&path)?);
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), seed.as_mut())
            .map_err(|_| anyhow::anyhow!("{} is not a key", path.display()))?;
        Ok(Keys::from_seed(&SecretBytes::new(*seed)))
    }

    /// The consortium of `genesis.toml`.
    ///
    /// # Errors
    /// When there is none, or it is refused.
    pub fn consortium(&self) -> Result<Consortium> {
        read_genesis(&self.0.join("genesis.toml"))
    }

    /// This member: its consortium, its place, its keys.
    ///
    /// # Errors
    /// When key or genesis are missing, or do not belong together.
    pub fn me(&self) -> Result<Me> {
        let (consortium, keys) = (self.consortium()?, self.keys()?);
        let Some(id) = consortium.member_of(&keys.identity.public()) else {
            bail!("the key in {} is not a member of the consortium in genesis.toml", self.0.display());
        };
        Ok(Me { consortium: Arc::new(consortium), id, keys })
    }

    /// The node's configuration; empty when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn node_file(&self) -> Result<NodeFile> {
        let path = self.0.join("node.toml");
        match fs::read_to_string(&path) {
            Ok(text) => {
                toml::from_str(&text).with_context(|| format!("{} is not a configuration", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(NodeFile::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes the node's configuration.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_node_file(&self, file: &NodeFile) -> Result<()> {
        write(&self.0.join("node.toml"), &toml::to_string(file)?)
    }
}

/// Reads and checks a genesis file.
///
/// # Errors
/// Names the file, and the member or product at fault.
pub fn read_genesis(path: &Path) -> Result<Consortium> {
    let text = fs::read_to_string(path).with_context(|| {
        format!("there is no genesis at {}; make one with `counterfoil genesis`", path.display())
    })?;
    let file: GenesisFile =
        toml::from_str(&text).with_context(|| format!("{} is not a genesis file", path.display()))?;
    let members = file.member.iter().map(Member::try_from).collect::<Result<_>>();
    let members = members.with_context(|| path.display().to_string())?;
    let products = file.product.into_iter().map(|product| product.text).collect();
    let epoch_blocks = file.epoch_blocks;
    let genesis = Genesis { version: file.version, name: file.name, members, products, epoch_blocks };
    Consortium::found(genesis).with_context(|| format!("{} is refused", path.display()))
}

/// Puts a genesis together, checks it and writes it.
///
/// # Errors
/// Names the file, member or product at fault; nothing is written then.
pub fn write_genesis(
    name: &str,
    members: &[PathBuf],
    products: &[PathBuf],
    epoch_blocks: u32,
    out: &Path,
) -> Result<Consortium> {
    let read =
        |path: &PathBuf| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let (member, product) = (Vec::new(), Vec::new());
    let mut file = GenesisFile { version: 1, name: name.into(), epoch_blocks, member, product };
    for path in members {
        let member = toml::from_str(&read(path)?).with_context(|| {
            format!("{} is not a member file as `counterfoil keygen` writes it", path.display())
        })?;
        file.member.push(member);
    }
    for path in products {
        let text = read(path)?;
        let product = counterfoil_policy::Product::parse(&text)
            .map_err(|e| anyhow::anyhow!("{}, {e}", path.display()))?;
        file.product.push(ProductFile { text: product.print() });
    }
    let members = file.member.iter().map(Member::try_from).collect::<Result<_>>()?;
    let products = file.product.iter().map(|product| product.text.clone()).collect();
    let genesis = Genesis { version: 1, name: name.into(), members, products, epoch_blocks };
    let consortium = Consortium::found(genesis)?;
    write(out, &toml::to_string(&file)?)?;
    Ok(consortium)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GenesisFile {
    version: u8,
    name: String,
    #[serde(default = "epoch_blocks")]
    epoch_blocks: u32,
    member: Vec<MemberFile>,
    product: Vec<ProductFile>,
}

fn epoch_blocks() -> u32 {
    EPOCH_BLOCKS
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductFile {
    text: String,
}

/// A member's registration as people see it: keys in hex.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberFile {
    name: String,
    role: String,
    identity: String,
    view_key: String,
    envelope_key: String,
    possession: String,
    signature: String,
}

impl From<&Member> for MemberFile {
    fn from(member: &Member) -> Self {
        let role = if member.role == Role::Bank { "bank" } else { "regulator" };
        Self {
            name: member.name.clone(),
            role: role.into(),
            identity: hex::encode(member.identity.as_bytes()),
            view_key: hex::encode(member.view_key.as_bytes()),
            envelope_key: hex::encode(member.envelope_key.as_bytes()),
            possession: hex::encode(&member.possession),
            signature: hex::encode(member.signature.as_bytes()),
        }
    }
}

impl TryFrom<&MemberFile> for Member {
    type Error = anyhow::Error;

    fn try_from(file: &MemberFile) -> Result<Self> {
        let wrong = |field: &str| format!("member {:?}: its {field} is not valid", file.name);
        let role = match file.role.as_str() {
            "bank" => Role::Bank,
            "regulator" => Role::Regulator,
            other => bail!("member {:?}: role {other:?} is neither `bank` nor `regulator`", file.name),
        };
        let identity = PublicIdentity::from_bytes(bytes(&file.identity).with_context(|| wrong("identity"))?);
        let envelope = bytes(&file.envelope_key).with_context(|| wrong("envelope_key"))?;
        Ok(Self {
            name: file.name.clone(),
            role,
            identity: identity.with_context(|| wrong("identity"))?,
            view_key: Encoded::from_bytes(bytes(&file.view_key).with_context(|| wrong("view_key"))?),
            envelope_key: PublicEnvelopeKey::from_bytes(envelope, &mut OsRng)
                .with_context(|| wrong("envelope_key"))?,
            possession: hex::decode(&file.possession).with_context(|| wrong("possession"))?,
            signature: Signature::from_bytes(bytes(&file.signature).with_context(|| wrong("signature"))?),
        })
    }
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).with_context(|| format!("{N} bytes in hex are needed"))?;
    Ok(bytes)
}
