//! ServerLink against libzmq, in both directions.
