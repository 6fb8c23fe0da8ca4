//! The same story on S3, told to moto's server, which is not ours. `scripts/setup.sh --with-python` makes
//! the Python that has it; without one this is skipped, and says so.

use std::{
    env, fs,
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use catalog_backup::{S3, Target};

use crate::story::tell;

/// How long the server may take to open its port.
const PATIENCE: Duration = Duration::from_mins(1);

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One request to the server, without any library: makes the bucket.
fn make_bucket(port: u16) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    let request = "PUT /bucket HTTP/1.1\r\nhost: localhost\r\nauthorization: AWS4-HMAC-SHA256 \
                   Credential=id/20260101/us-east-1/s3/aws4_request\r\ncontent-length: 0\r\n\
                   connection: close\r\n\r\n";
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn an_archive_on_s3() {
    let python = env::var("LUQIAO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python)
        .args(["-c", "import moto.server"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !has.is_ok_and(|status| status.success()) {
        // Not `eprintln!`: the test harness swallows that.
        writeln!(
            io::stderr(),
            "SKIPPED an_archive_on_s3: {python} has no moto; scripts/setup.sh --with-python brings it"
        )
        .expect("standard error is open");
        return;
    }
    let port = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let server = Command::new(&python)
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Server(server);
    let until = Instant::now() + PATIENCE;
    let answer = loop {
        match make_bucket(port) {
            Ok(answer) => break answer,
            Err(error) => assert!(Instant::now() < until, "the server does not answer: {error}"),
        }
        std::thread::yield_now();
    };
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("credentials");
    fs::write(&credentials, "id\nsecret\n").unwrap();
    tell(&Target::S3(S3 {
        endpoint: format!("http://127.0.0.1:{port}"),
        bucket: "bucket".to_owned(),
        prefix: "city".to_owned(),
        region: "us-east-1".to_owned(),
        credentials,
        authorities: None,
    }));
}
