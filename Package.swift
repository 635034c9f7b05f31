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
    .library(name: "Pebble", targets: ["Pebble"])
  ],
  traits: [
    .trait(name: "Macros", description: "The decorators and #process. Needs swift-syntax, which is not fetched without it."),
    .default(enabledTraits: ["Macros"]),
  ],
  dependencies: [
    .package(url: "https://github.com/swiftlang/swift-syntax", "600.0.1"..<"604.0.0")
  ],
  targets: [
    .systemLibrary(name: "CBSD", pkgConfig: "libbsd", providers: [.apt(["libbsd-dev"])]),
    .target(name: "CPebble", dependencies: ["CBSD"]),
    .target(
      name: "Pebble",
      dependencies: ["CPebble", .target(name: "PebbleMacros", condition: macros)],
      swiftSettings: strict
    ),
    .macro(
      name: "PebbleMacros",
      dependencies: [
        .product(name: "SwiftCompilerPlugin", package: "swift-syntax", condition: macros),
        .product(name: "SwiftSyntaxMacros", package: "swift-syntax", condition: macros),
      ]
    ),
    .testTarget(name: "PebbleTests", dependencies: ["Pebble"], exclude: ["README.md"]),
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
