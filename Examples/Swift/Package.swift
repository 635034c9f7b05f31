// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// The examples of the manual, each a program that prints what `expected` holds.
let manual = ["hello", "guide", "decorated", "unstable", "errors", "fibonacci", "million", "signals"]

let package = Package(
  name: "examples",
  dependencies: [
    .package(name: "pebble", path: "../.."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: manual.map { name in
    .executableTarget(name: name, dependencies: [.product(name: "Pebble", package: "pebble")])
  } + [
    .executableTarget(
      name: "ingest",
      dependencies: [
        .product(name: "Pebble", package: "pebble"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]
    )
  ],
  swiftLanguageModes: [.v6]
)
