//! Nothing: this package is its tests, which are the map's own.
