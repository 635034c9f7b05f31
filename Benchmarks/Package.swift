// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [
    .package(name: "pebble", path: "..", traits: [])
  ],
  targets: [
    .target(name: "CBench"),
    .executableTarget(name: "swiftbench", dependencies: ["CBench", .product(name: "Pebble", package: "pebble")]),
  ],
  swiftLanguageModes: [.v6]
)
