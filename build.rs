//! Has the program compiled again when the page in `web/dist` was built anew. The folder
//! is there in every clone, so that a plain `cargo build` needs no Node.

fn main() {
    println!("cargo:rerun-if-changed=web/dist");
}
