// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
// Pebble, and tasks of its own, in one shared library.
import PackageDescription

let pebble = Context.environment["ENTRY_PEBBLE"] ?? "../../../.."

let package = Package(
  name: "Library",
  products: [.library(name: "Tasks", type: .dynamic, targets: ["Tasks"])],
  dependencies: [.package(name: "pebble", path: pebble, traits: [])],
  targets: [.target(name: "Tasks", dependencies: [.product(name: "Pebble", package: "pebble")])],
  swiftLanguageModes: [.v6]
)
