// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
// Built by ../run.sh, which copies it to a scratch directory and says where Pebble is.
import PackageDescription

let pebble = Context.environment["ENTRY_PEBBLE"] ?? "../../.."

let package = Package(
  name: "entry",
  dependencies: [
    .package(name: "pebble", path: pebble, traits: []),
    .package(path: "Library"),
  ],
  targets: [
    .executableTarget(name: "Plain", dependencies: [.product(name: "Pebble", package: "pebble")]),
    .executableTarget(name: "Shared", dependencies: [.product(name: "Tasks", package: "Library")]),
  ],
  swiftLanguageModes: [.v6]
)
