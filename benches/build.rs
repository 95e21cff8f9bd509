//! Compiles the rivals that are written in C, and says whether there is any backend.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // What needs any backend, whichever, is under this condition.
    println!("cargo::rustc-check-cfg=cfg(any_backend)");
    if cfg!(any(
        feature = "mio",
        feature = "polling",
        feature = "uv",
        feature = "uring"
    )) {
        println!("cargo::rustc-cfg=any_backend");
    }
    println!("cargo::rustc-check-cfg=cfg(libevent)");
    #[cfg(feature = "uv")]
    libuv::compile();
    #[cfg(feature = "http-rivals")]
    libevent::compile();
}

/// libevent is the system's, where it is installed at all: without it the rival says so when it is to run.
#[cfg(feature = "http-rivals")]
mod libevent {
    use std::path::Path;
    use std::process::Command;

    const SOURCE: &str = "c/evhttp.c";
    const HEADER: &str = "event2/http.h";
    const LIBRARIES: [&str; 2] = ["libevent_extra", "libevent_core"];
    /// Where a compiler looks without being told.
    const USUAL: [&str; 2] = ["/usr/include", "/usr/local/include"];
    /// Debian's list of what is installed: when it changes, libevent may be there.
    const INSTALLED: &str = "/var/lib/dpkg/status";

    pub(super) fn compile() {
        println!("cargo::rerun-if-changed={SOURCE}");
        println!("cargo::rerun-if-env-changed=PKG_CONFIG_PATH");
        let Some(options) = options() else {
            if Path::new(INSTALLED).is_file() {
                println!("cargo::rerun-if-changed={INSTALLED}");
            }
            return;
        };
        // And when it goes away, what is built must not want it any more.
        let headers = USUAL.iter().map(|folder| Path::new(folder).join(HEADER));
        for header in headers.filter(|header| header.is_file()) {
            println!("cargo::rerun-if-changed={}", header.display());
        }
        let of = |flag: &'static str| options.iter().filter_map(move |option| option.strip_prefix(flag));
        cc::Build::new()
            .file(SOURCE)
            .includes(of("-I"))
            .warnings(true)
            .extra_warnings(true)
            .compile("sockman_bench_evhttp");
        for folder in of("-L") {
            println!("cargo::rustc-link-search=native={folder}");
        }
        for library in of("-l") {
            println!("cargo::rustc-link-lib={library}");
        }
        println!("cargo::rustc-cfg=libevent");
    }

    /// What the compiler and the linker must be told, if libevent is there.
    fn options() -> Option<Vec<String>> {
        let output = Command::new("pkg-config")
            .args(["--cflags", "--libs"])
            .args(LIBRARIES)
            .output();
        if let Ok(output) = output {
            let told = String::from_utf8(output.stdout).ok()?;
            return output
                .status
                .success()
                .then(|| told.split_whitespace().map(str::to_owned).collect());
        }
        // Without pkg-config it may be there nevertheless.
        let is_there = USUAL
            .iter()
            .any(|folder| Path::new(folder).join(HEADER).is_file());
        is_there.then(|| LIBRARIES.map(|library| library.replacen("lib", "-l", 1)).to_vec())
    }
}

#[cfg(feature = "uv")]
mod libuv {
    use serde_json::Value;
    use std::env;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    const SOURCE: &str = "c/libuv_echo.c";

    /// Compiles against the headers of the libuv that the crate `libuv-sys2` links.
    pub(super) fn compile() {
        println!("cargo::rerun-if-changed={SOURCE}");
        let include = match include() {
            Ok(include) if include.join("uv.h").is_file() => include,
            Ok(include) => panic!("no uv.h in {}, the headers of libuv-sys2", include.display()),
            Err(why) => panic!("the headers of libuv-sys2 cannot be found: {why}"),
        };
        cc::Build::new()
            .file(SOURCE)
            .include(include)
            .warnings(true)
            .extra_warnings(true)
            .compile("sockman_bench_libuv");
    }

    /// The folder with `uv.h`. libuv-sys2 tells it to packages that depend on it (its manifest has `links = "uv"`): as an
    /// absolute path where pkg-config found a libuv of a version it accepts, and otherwise, of the sources that it brings
    /// along, relative to its own folder, which only cargo knows.
    fn include() -> Result<PathBuf, String> {
        let told = env::var_os("DEP_UV_INCLUDE").ok_or("it told no folder in DEP_UV_INCLUDE")?;
        let told = Path::new(&told);
        if told.is_absolute() {
            return Ok(told.to_owned());
        }
        // `cargo metadata` covers the whole workspace, so it may miss packages that this build did not need: without a
        // network that fails, and with one they are fetched.
        let folder = package(&["--offline"]).or_else(|offline| {
            package(&[]).map_err(|online| format!("{offline}\n{online}\n`cargo fetch --locked` may help"))
        })?;
        Ok(folder.join(told))
    }

    /// The folder of the package libuv-sys2.
    fn package(options: &[&str]) -> Result<PathBuf, String> {
        let variable = |name: &str| env::var(name).map_err(|error| format!("{name}: {error}"));
        let output = Command::new(variable("CARGO")?)
            .args(["metadata", "--format-version=1", "--locked"])
            .args(["--no-default-features", "--features=uv"])
            .arg(format!("--filter-platform={}", variable("TARGET")?))
            .arg(format!(
                "--manifest-path={}/Cargo.toml",
                variable("CARGO_MANIFEST_DIR")?
            ))
            .args(options)
            .output()
            .map_err(|error| format!("cargo metadata: {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "cargo metadata: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        // There is one at most: `links` sees to that.
        metadata["packages"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|package| package["name"] == "libuv-sys2")
            .and_then(|package| Path::new(package["manifest_path"].as_str()?).parent())
            .map(Path::to_owned)
            .ok_or_else(|| "cargo metadata does not list it".to_owned())
    }
}
