// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
// Built by run.sh, which says where Pebble is: a package that depends on it as it comes, with macros. It is built where
// Examples/Swift is, since swift-syntax takes minutes; hence the other dependency, which that has.
import PackageDescription

let pebble = Context.environment["CONSUMER_PEBBLE"] ?? "../../.."
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "consumer-of-macros",
  dependencies: [
    .package(name: "pebble", path: pebble),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    .target(name: "Work", dependencies: [.product(name: "Pebble", package: "pebble")], swiftSettings: strict),
    .testTarget(
      name: "WorkTests",
      dependencies: ["Work", .product(name: "Pebble", package: "pebble")],
      swiftSettings: strict
    ),
  ],
  swiftLanguageModes: [.v6]
)
