//! JSON-RPC with one method of its own: `cargo run -p sockman-http --example rpc`, then
//! `bitcoin-cli -rpccookiefile=.cookie greet you`, or with any other client
//! `curl -u "$(cat .cookie)" --json '{"method":"greet","params":["you"]}' http://127.0.0.1:8332/`.

use sockman_backends::DefaultBackend;
use sockman_backends::sockman::{Config, Driver, ListenOptions, SockMan as _};
use sockman_http::rpc::{self, Call, Credentials, Dispatcher, Done, Instance, Method, Methods, Out, Rpc};
use sockman_http::{Limits, Server, Settings};
use std::{error::Error, path::Path, time::Duration};

struct State {
    greeting: &'static str,
}

fn greet(state: &State, call: &Call<'_>, out: Out<'_>) -> Result<Done, rpc::RpcError> {
    let name: String = call.get(0)?;
    out.json(&format!("{} {name}", state.greeting))
}

fn main() -> Result<(), Box<dyn Error>> {
    let greet = Method::new("greet", greet).required("name");
    let state = State { greeting: "Hello," };
    let methods = Methods::new().with(greet.help("Example", "Greets."));
    let dispatcher = Dispatcher::new(methods, Instance::new("Example"), state);
    let mut users = Credentials::default();
    users.cookie(Path::new(".cookie"))?;
    let rpc = Rpc::new(dispatcher, users, rpc::Settings::bitcoin_core())?;
    let dispatcher = rpc.dispatcher().clone();
    let limits = Limits::bitcoin_core();
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let mut driver = Driver::<DefaultBackend, _>::new(&Config::default(), Server::new(rpc, settings))?;
    let remote = driver.with(|_, net| net.remote());
    dispatcher.instance().stop_by(remote, Duration::from_secs(5));
    let at = "127.0.0.1:8332".parse()?;
    driver.with(|server, net| server.listen(net, &at, &ListenOptions::default()))?;
    Ok(driver.run()?)
}
