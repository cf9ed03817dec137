//! A WebAssembly module that exports what it is told to, and does nothing.

/// The exports answer the version, all alike: of no parameters.
pub fn tiny_module(exports: &[&str], version: u8) -> Vec<u8> {
    const FUNCTION: u8 = 0;
    const I32: u8 = 0x7F;
    let named = |name: &str, function: u8| [&[name.len() as u8], name.as_bytes(), &[FUNCTION, function]].concat();
    let mut list = vec![named("_initialize", 0)];
    list.extend(exports.iter().map(|name| named(name, 1)));
    let exports = [vec![list.len() as u8], list.concat()].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[2, 0x60, 0, 0, 0x60, 0, 1, I32]), // types: () and () -> i32
        section(3, &[2, 0, 1]),                        // a function of each
        section(7, &exports),
        section(10, &[2, 2, 0, 0x0B, 4, 0, 0x41, version & 0x3F, 0x0B]), // nothing; i32.const version
    ]
    .concat()
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let n = content.len();
    [&[id, n as u8 & 0x7F | 0x80, (n >> 7) as u8], content].concat() // the length as a LEB128 of two bytes
}
