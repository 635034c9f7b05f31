// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// The `pebble` command; a package of its own, so that the library depends on none of what it needs.
let package = Package(
  name: "pebble-command",
  products: [.executable(name: "pebble", targets: ["PebbleCommand"])],
  dependencies: [
    .package(name: "pebble", path: "..", traits: []),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    .executableTarget(
      name: "PebbleCommand",
      dependencies: [
        .product(name: "Pebble", package: "pebble"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(name: "PebbleCommandTests", dependencies: ["PebbleCommand"]),
  ],
  swiftLanguageModes: [.v6]
)
