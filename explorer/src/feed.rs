//! Any handler, fed any bytes in any pieces.
