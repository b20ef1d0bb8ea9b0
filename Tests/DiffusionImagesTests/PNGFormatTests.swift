import DiffusionImages
import Foundation
import TestSupport
import Testing

/// Every colour type, depth and interlacing, against a reader and writer of the specification in
/// Python.
@Suite struct PNGFormatTests {
  static let folder = Shared.golden.appendingPathComponent("png")

  struct Case {
    let name: String, width: Int, height: Int, channels: Int, samples: [UInt16]
    var path: String { PNGFormatTests.folder.appendingPathComponent(name).path }
  }

  static func cases() throws -> [Case] {
    try rows(of: folder.appendingPathComponent("expected.tsv")).map { row in
      let digits = Array(row[4])
      let samples = stride(from: 0, to: digits.count, by: 4).compactMap {
        UInt16(String(digits[$0..<$0 + 4]), radix: 16)
      }
      return Case(
        name: row[0], width: try #require(Int(row[1])), height: try #require(Int(row[2])),
        channels: try #require(Int(row[3])), samples: samples)
    }
  }

  @Test func everyFormatDecodesTo16Bits() throws {
    let cases = try Self.cases()
    #expect(cases.count == 52)
    for one in cases {
      let expected = DeepImage(
        width: one.width, height: one.height, channels: one.channels, samples: one.samples)
      #expect(try DeepImage(png: one.path) == expected, "\(one.name)")
    }
  }

  @Test func everyFormatDecodesTo8Bits() throws {
    for one in try Self.cases() {
      let expected = Image(
        width: one.width, height: one.height, channels: one.channels,
        samples: one.samples.map { UInt8((Double($0) / 257).rounded()) })
      #expect(try Image(png: one.path) == expected, "\(one.name)")
    }
  }

  @Test func depthIsReducedByRounding() {
    let deep = DeepImage(width: 65536, height: 1, channels: 1, samples: Array(0...65535))
    let wrong = zip(Image(deep).samples, 0...65535).filter {
      $0 != UInt8((Double($1) / 257).rounded())
    }
    #expect(wrong.isEmpty)
  }
}
