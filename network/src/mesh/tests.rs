//! Peers that are not what they should be, over real sockets; each is refused for its own reason.

use super::*;
use counterfoil_crypto::secret::SecretBytes;
use quinn::{ApplicationClose, TransportErrorCode};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

const LIMIT: Duration = Duration::from_secs(30);

fn member(seed: u8) -> Identity {
    Identity::from_seed(&SecretBytes::new([seed; 32]))
}

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn roster() -> Roster {
    let validators = [1, 2].map(|seed| member(seed).public()).to_vec();
    Roster { consortium: [0; 32], validators, observers: Vec::new() }
}

/// Member 1, and a socket from which to attack it.
fn target() -> (Mesh, Receivers, SocketAddr, Endpoint) {
    let (socket, address) = socket();
    let (mesh, receivers) = Mesh::start(&roster(), member(1), socket, Vec::new()).unwrap();
    (mesh, receivers, address, Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap())
}

fn config(provider: Arc<CryptoProvider>, credential: &Credential) -> rustls::ClientConfig {
    tls::client(provider, credential, member(1).public()).unwrap()
}

/// How a connection with this configuration ends.
async fn end_of(config: rustls::ClientConfig) -> ConnectionError {
    let (_mesh, _receivers, address, endpoint) = target();
    let config = client_config_of(config).unwrap();
    let connecting = endpoint.connect_with(config, address, tls::SERVER_NAME).unwrap();
    let end = async {
        match connecting.await {
            // A TLS 1.3 client is done before the server has looked at its key.
            Ok(connection) => connection.closed().await,
            Err(error) => error,
        }
    };
    timeout(LIMIT, end).await.expect("refused in time")
}

/// The TLS alert (RFC 8446, section 6) with which the server has refused.
async fn alert_of(config: rustls::ClientConfig) -> TransportErrorCode {
    match end_of(config).await {
        ConnectionError::ConnectionClosed(close) => close.error_code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stranger_is_refused_because_its_key_is_not_in_the_roster() {
    let config = config(tls::provider(), &Credential::of(&member(3)));
    // access_denied
    assert_eq!(alert_of(config).await, TransportErrorCode::crypto(49));
}

#[tokio::test]
async fn a_members_key_with_another_secret_is_refused_because_of_the_signature() {
    let stolen = Credential { shown: member(2).public(), signing: member(3) };
    // decrypt_error
    assert_eq!(alert_of(config(tls::provider(), &stolen)).await, TransportErrorCode::crypto(51));
}

#[tokio::test]
async fn another_protocol_is_refused() {
    for protocols in [vec![b"counterfoil/0".to_vec()], Vec::new()] {
        let mut config = config(tls::provider(), &Credential::of(&member(2)));
        config.alpn_protocols = protocols;
        // no_application_protocol
        assert_eq!(alert_of(config).await, TransportErrorCode::crypto(120));
    }
}

#[tokio::test]
async fn classical_key_exchange_is_refused() {
    let kx_groups = vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1];
    let classical = Arc::new(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() });
    let config = config(classical, &Credential::of(&member(2)));
    // handshake_failure
    assert_eq!(alert_of(config).await, TransportErrorCode::crypto(40));
}

/// Member 2, connected by hand.
async fn member_two(endpoint: &Endpoint, address: SocketAddr) -> Connection {
    let config = client_config(&member(2), member(1).public()).unwrap();
    endpoint.connect_with(config, address, tls::SERVER_NAME).unwrap().await.unwrap()
}

fn violation(end: ConnectionError) -> String {
    match end {
        ConnectionError::ApplicationClosed(ApplicationClose { error_code, reason }) => {
            assert_eq!(error_code, Close::Violation.code());
            String::from_utf8(reason.to_vec()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_frame_of_four_gibibytes_closes_the_connection() {
    for lane in [1, 2, 3] {
        let (_mesh, _receivers, address, endpoint) = target();
        let connection = member_two(&endpoint, address).await;
        let mut stream = connection.open_uni().await.unwrap();
        stream.write_all(&[lane, 0xff, 0xff, 0xff, 0xff]).await.unwrap();
        let reason = violation(timeout(LIMIT, connection.closed()).await.unwrap());
        assert!(reason.starts_with("a frame of 4294967295 bytes"), "{reason}");
    }
}

#[tokio::test]
async fn a_stream_for_nothing_or_a_second_ordered_one_closes_the_connection() {
    for lanes in [&[9][..], &[1, 1]] {
        let (_mesh, _receivers, address, endpoint) = target();
        let connection = member_two(&endpoint, address).await;
        let mut streams = Vec::new();
        for lane in lanes {
            let mut stream = connection.open_uni().await.unwrap();
            stream.write_all(&[*lane]).await.unwrap();
            streams.push(stream);
        }
        let reason = violation(timeout(LIMIT, connection.closed()).await.unwrap());
        assert!(reason.starts_with("a stream of unknown purpose"), "{reason}");
    }
}

#[tokio::test]
async fn streams_are_bounded() {
    let (_mesh, _receivers, address, endpoint) = target();
    let connection = member_two(&endpoint, address).await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = connection.open_uni().await.unwrap();
        stream.write_all(&[2]).await.unwrap();
        streams.push(stream);
    }
    assert!(timeout(Duration::from_millis(300), connection.open_uni()).await.is_err(), "one too many");
    assert!(timeout(Duration::from_millis(300), connection.open_bi()).await.is_err(), "a stream both ways");
    // One that ends makes room for another.
    streams.pop().unwrap().finish().unwrap();
    timeout(LIMIT, connection.open_uni()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_peer_that_does_not_read_makes_nobody_wait() {
    let (mesh, mut receivers, address, endpoint) = target();
    let _connection = member_two(&endpoint, address).await;
    let connected = timeout(LIMIT, receivers[0].recv()).await.unwrap();
    assert!(matches!(connected, Some(Event::Connected(_))));
    let frame: Arc<[u8]> = vec![0; 60_000].into();
    let taken =
        (0..10_000).filter(|_| mesh.send(&member(2).public(), Lane::Small, Arc::clone(&frame))).count();
    assert!(taken <= Lane::Small.queue(), "{taken}");
}

#[tokio::test]
async fn two_that_dial_each_other_keep_one_connection() {
    let ((first, first_address), (second, second_address)) = (socket(), socket());
    let dial = |seed: u8, address| vec![(member(seed).public(), address)];
    let (one, mut at_one) = Mesh::start(&roster(), member(1), first, dial(2, second_address)).unwrap();
    let (two, mut at_two) = Mesh::start(&roster(), member(2), second, dial(1, first_address)).unwrap();
    let frame: Arc<[u8]> = Arc::from(&b"hello"[..]);
    // What is sent while the two connections meet may be lost: again until one comes.
    for (from, to, inbox) in [(&one, 2, &mut at_two), (&two, 1, &mut at_one)] {
        let heard = async {
            loop {
                from.send(&member(to).public(), Lane::Small, Arc::clone(&frame));
                let next = timeout(Duration::from_millis(50), inbox[0].recv()).await;
                if let Ok(Some(Event::Message(_, bytes))) = next {
                    return bytes;
                }
            }
        };
        assert_eq!(timeout(LIMIT, heard).await.unwrap(), b"hello");
    }
    let settled = async {
        while one.0.endpoint.open_connections() != 1 || two.0.endpoint.open_connections() != 1 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, settled).await.expect("one connection is left");
    assert_eq!((one.peers(), two.peers()), (vec![member(2).public()], vec![member(1).public()]));
}

#[test]
fn of_two_connections_both_ends_keep_the_same() {
    let (a, b) = (member(1).public(), member(2).public());
    let (smaller, greater) = (a.min(b), a.max(b));
    let (young, aged) = (Duration::from_secs(1), RACE);
    //           old      new      age    stays  why
    let table = [
        (smaller, greater, young, true, "made at the same time: the smaller dials"),
        (greater, smaller, young, false, "made at the same time: the smaller dials"),
        (smaller, smaller, young, false, "the dialler has started again"),
        (smaller, greater, aged, false, "the other has started again"),
        (greater, smaller, aged, false, "the other has started again"),
    ];
    for (old, new, age, stays, why) in table {
        assert_eq!(old_stays(smaller, old, new, age), stays, "{why}");
    }
}
