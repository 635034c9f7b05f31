// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import CompilerPluginSupport
import PackageDescription

let macros = TargetDependencyCondition.when(traits: ["Macros"])
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "pebble",
  products: [
    .library(name: "Pebble", targets: ["Pebble"]),
    .library(name: "PebbleFoundation", targets: ["PebbleFoundation"]),
  ],
  traits: [
    .trait(name: "Macros", description: "The decorators and #process. Needs swift-syntax, which is not fetched without it."),
    .trait(name: "Logging", description: "Pools that tell a Logger of swift-log what becomes of their jobs."),
    .trait(name: "Metrics", description: "Pools that count and time their jobs with swift-metrics."),
    .trait(name: "Tracing", description: "Pools that make a span of swift-distributed-tracing of each job."),
    .trait(name: "ServiceLifecycle", description: "Pools as services of swift-service-lifecycle."),
    .default(enabledTraits: ["Macros"]),
  ],
  dependencies: [  // each only fetched with its trait
    .package(url: "https://github.com/swiftlang/swift-syntax", "600.0.1"..<"604.0.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
  ],
  targets: [
    .systemLibrary(name: "CBSD", pkgConfig: "libbsd", providers: [.apt(["libbsd-dev"])]),
    .target(name: "CPebble", dependencies: ["CBSD"]),
    .target(
      name: "Pebble",
      dependencies: [
        "CPebble",
        .target(name: "PebbleMacros", condition: macros),
        .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Logging"])),
        .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
        .product(name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"])),
        .product(
          name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["ServiceLifecycle"])),
      ],
      swiftSettings: strict
    ),
    .target(name: "PebbleFoundation", dependencies: ["Pebble"], swiftSettings: strict),
    .macro(
      name: "PebbleMacros",
      dependencies: [
        .product(name: "SwiftCompilerPlugin", package: "swift-syntax", condition: macros),
        .product(name: "SwiftSyntaxMacros", package: "swift-syntax", condition: macros),
      ]
    ),
    .testTarget(name: "PebbleTests", dependencies: ["Pebble"], exclude: ["README.md"]),
    .testTarget(name: "PebbleFoundationTests", dependencies: ["Pebble", "PebbleFoundation"]),
    .testTarget(name: "PebbleXCTests", dependencies: ["Pebble"]),
    .testTarget(
      name: "PebbleMacrosTests",
      dependencies: [
        "PebbleMacros",
        .product(name: "SwiftSyntaxMacrosGenericTestSupport", package: "swift-syntax", condition: macros),
      ]
    ),
  ],
  swiftLanguageModes: [.v6]
)
