//! `tari_bulletproofs_plus`, in two versions of the same interface.
//!
//! A statement of theirs owns a copy of the generators and holds commitments as points. The copies are made before the
//! clock starts; the points are decompressed within it, straight into the statement, which spares them the second
//! encoding that `RangeStatement::init` makes.

/// A module for one version, on one version of the curve crate.
macro_rules! tari {
    ($(#[$doc:meta])* $module:ident, $tari:ident, $curve:ident) => {
        $(#[$doc])*
        pub(crate) mod $module {
            use crate::peer::{BITS, LABEL, Opening, Peer, Sealed, Work};
            use anyhow::{Context as _, Result, anyhow, ensure};
            use $curve::{ristretto::{CompressedRistretto, RistrettoPoint}, scalar::Scalar};
            use $tari::{
                Transcript,
                commitment_opening::CommitmentOpening,
                generators::pedersen_gens::ExtensionDegree,
                range_parameters::RangeParameters,
                range_proof::VerifyAction,
                range_statement::RangeStatement,
                range_witness::RangeWitness,
                ristretto::{RistrettoRangeProof, create_pedersen_gens_with_extension_degree},
            };

            /// Generators, and tables over them, for proofs of up to a number of values.
            pub(crate) struct Tari(RangeParameters<RistrettoPoint>);

            impl Tari {
                /// For proofs of up to `values` values, a power of two.
                ///
                /// # Errors
                /// When it is none.
                pub(crate) fn new(values: usize) -> Result<Self> {
                    let bases = create_pedersen_gens_with_extension_degree(ExtensionDegree::DefaultPedersen);
                    let parameters = RangeParameters::init(BITS, values, bases);
                    Ok(Self(parameters.map_err(|error| anyhow!("{error:?}"))?))
                }

                fn points(&self, openings: &[Opening]) -> Result<Vec<RistrettoPoint>> {
                    let commit = |opening: &Opening| {
                        let (value, blinding) = (Scalar::from(opening.value), [blinding(opening)?]);
                        let commitment = self.0.pc_gens().commit(&value, &blinding);
                        commitment.map_err(|error| anyhow!("{error:?}"))
                    };
                    openings.iter().map(commit).collect()
                }
            }

            fn blinding(opening: &Opening) -> Result<Scalar> {
                Option::from(Scalar::from_canonical_bytes(opening.blinding)).context("a canonical blinding")
            }

            fn verify(sealed: &[Sealed], statements: &mut [RangeStatement<RistrettoPoint>]) -> Result<()> {
                for (sealed, statement) in sealed.iter().zip(&mut *statements) {
                    statement.commitments_compressed =
                        sealed.commitments.iter().map(|bytes| CompressedRistretto(*bytes)).collect();
                    let points = statement.commitments_compressed.iter().map(|c| c.decompress());
                    statement.commitments = points.collect::<Option<_>>().context("a canonical point")?;
                }
                let proofs = sealed.iter().map(|sealed| RistrettoRangeProof::from_bytes(&sealed.proof));
                let proofs = proofs.collect::<Result<Vec<_>, _>>().map_err(|error| anyhow!("{error:?}"))?;
                let mut transcripts = vec![Transcript::new(LABEL); sealed.len()];
                RistrettoRangeProof::verify_batch(
                    &mut transcripts, statements, &proofs, VerifyAction::VerifyOnly,
                )
                .map_err(|error| anyhow!("{error:?}"))?;
                Ok(())
            }

            impl Peer for Tari {
                fn commit(&self, openings: &[Opening]) -> Result<Vec<[u8; 32]>> {
                    Ok(self.points(openings)?.iter().map(|point| point.compress().to_bytes()).collect())
                }

                fn prove(&self, openings: &[Opening]) -> Result<Vec<u8>> {
                    let secrets = openings
                        .iter()
                        .map(|opening| Ok(CommitmentOpening::new(opening.value, vec![blinding(opening)?])))
                        .collect::<Result<Vec<_>>>()?;
                    let prove = || {
                        let promises = vec![None; openings.len()];
                        let points = self.points(openings)?;
                        let statement = RangeStatement::init(self.0.clone(), points, promises, None)
                            .map_err(|error| anyhow!("{error:?}"))?;
                        let witness = RangeWitness::init(secrets).map_err(|error| anyhow!("{error:?}"))?;
                        RistrettoRangeProof::prove(&mut Transcript::new(LABEL), &statement, &witness)
                            .map_err(|error| anyhow!("{error:?}"))
                    };
                    Ok(prove()?.to_bytes())
                }

                fn verifier<'a>(&'a self, sealed: &'a [Sealed]) -> Result<Work<'a>> {
                    let count = sealed.first().context("nothing to verify")?.commitments.len();
                    ensure!(sealed.iter().all(|sealed| sealed.commitments.len() == count), "one shape");
                    let blank = RangeStatement {
                        generators: self.0.clone(),
                        commitments: Vec::new(),
                        commitments_compressed: Vec::new(),
                        minimum_value_promises: vec![None; count],
                        seed_nonce: None,
                    };
                    let mut statements = vec![blank; sealed.len()];
                    Ok(Box::new(move || verify(sealed, &mut statements)))
                }
            }
        }
    };
}

tari!(
    /// The newest version, on the newest curve crate: it chooses the better of two ways to multiply.
    newest, tari_bulletproofs_plus, dalek_5
);
tari!(
    /// The last version on the curve crate that all others here use.
    on_our_curve, tari_0_4, curve25519_dalek
);
