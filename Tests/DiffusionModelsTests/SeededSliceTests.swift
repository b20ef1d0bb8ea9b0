import DiffusionModels
import Foundation
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// The rows of `conformance/diffusers/seeded_slices.tsv` that are blocks of the pixel U-Net: a corner of the output of a
/// block with PyTorch's default initialisation after `torch.manual_seed`. So they test the generator, the order of
/// initialisation and the block at once.
@Suite(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
struct SeededSliceTests {
  struct Row: Sendable, CustomStringConvertible {
    let group: String
    let test: String
    let expected: [Double]
    var description: String { "\(group).\(test)" }
  }

  /// Rows of later issues, by class or test, and why.
  static let later = [
    "Transformer2DModelTests": "text-conditional U-Net",
    "CrossAttnDownBlock2DTests": "text-conditional U-Net",
    "CrossAttnUpBlock2DTests": "text-conditional U-Net",
    "UNetMidBlock2DCrossAttnTests": "text-conditional U-Net",
    "SimpleCrossAttnDownBlock2DTests": "text-conditional U-Net",
    "SimpleCrossAttnUpBlock2DTests": "text-conditional U-Net",
    "UNetMidBlock2DSimpleCrossAttnTests": "text-conditional U-Net",
    "DownEncoderBlock2DTests": "autoencoder", "AttnDownEncoderBlock2DTests": "autoencoder",
    "UpDecoderBlock2DTests": "autoencoder", "AttnUpDecoderBlock2DTests": "autoencoder",
  ]

  static let rows: [Row] = {
    let file = Shared.folder.appendingPathComponent("conformance/diffusers/seeded_slices.tsv")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields[0].hasPrefix("tests/models") else { return nil }
      let numbers = fields[3].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
      return Row(
        group: fields[1], test: fields[2],
        expected: numbers.split(separator: ",").compactMap {
          Double($0.trimmingCharacters(in: .whitespaces))
        })
    }
  }()

  static let blocks = rows.filter { later[$0.group] == nil && later[$0.test] == nil }

  @Test func everyRowIsTestedOrListed() {
    #expect(Self.rows.count == 42)
    #expect(Self.blocks.count == 26)
  }

  @Test(arguments: blocks) func cornerAgrees(_ row: Row) throws {
    let output = try #require(Self.output(of: row), "no recipe for \(row)")
    let (height, width, channels) = (output.shape[1], output.shape[2], output.shape[3])
    let corner = output.sliced(axis: 0, 0..<1).sliced(axis: 1, (height - 3)..<height)
      .sliced(axis: 2, (width - 3)..<width).sliced(axis: 3, (channels - 1)..<channels)
    // bfloat16 keeps eight bits; the others are printed with four places.
    let tolerance = row.test.contains("bfloat16") ? 4e-3 : 1.5e-4
    for (found, expected) in zip(corner.doubles, row.expected) {
      #expect(abs(found - expected) < tolerance * max(1, abs(expected)), "\(row)")
    }
  }

  static func output(of row: Row) -> Tensor? {
    switch row.group {
    case "Upsample2DBlockTests": upsampled(row.test)
    case "Downsample2DBlockTests": downsampled(row.test)
    case "ResnetBlock2DTests": residual(row.test)
    default: block(row.group)
    }
  }

  private static func upsampled(_ test: String) -> Tensor? {
    var initializer = ParameterInitializer(seed: 0)
    let x = sample([1, 32, 32, 32], &initializer)
    switch test {
    case "test_upsample_default": return Upsample()(x)
    case "test_upsample_bfloat16":
      return Upsample()(x.converted(to: .bfloat16).converted(to: .float32))
    case "test_upsample_with_conv": return Upsample(channels: 32, initializer: &initializer)(x)
    case "test_upsample_with_conv_out_dim":
      return Upsample(channels: 32, outputs: 64, initializer: &initializer)(x)
    case "test_upsample_with_transpose":
      return TransposedConvolution(
        inputs: 32, outputs: 32, kernel: 4, stride: 2, padding: 1, initializer: &initializer)(x)
    default: return nil
    }
  }

  private static func downsampled(_ test: String) -> Tensor? {
    var initializer = ParameterInitializer(seed: 0)
    let x = sample([1, 32, 64, 64], &initializer)
    switch test {
    case "test_downsample_default": return Downsample()(x)
    case "test_downsample_with_conv", "test_downsample_with_conv_pad1":
      return Downsample(channels: 32, initializer: &initializer)(x)
    case "test_downsample_with_conv_out_dim":
      return Downsample(channels: 32, outputs: 16, initializer: &initializer)(x)
    default: return nil
    }
  }

  private static func residual(_ test: String) -> Tensor? {
    var initializer = ParameterInitializer(seed: 0)
    let x = sample([1, 32, 64, 64], &initializer)
    let time = initializer.normal([1, 128]).silu()
    let resampling: ResidualBlock.Resampling =
      switch test {
      case "test_resnet_up": .up
      case "test_resnet_down", "test_restnet_with_kernel_sde_vp": .down
      case "test_restnet_with_kernel_fir": .filteredDown
      default: .none
      }
    let block = ResidualBlock(
      inputs: 32, outputs: 32, style: .init(timeWidth: 128), resampling: resampling,
      hasShortcut: test == "test_restnet_with_use_in_shortcut" ? true : nil,
      initializer: &initializer)
    return block(x, time: time)
  }

  /// Down, middle and up blocks: one layer, heads of one channel.
  private static func block(_ group: String) -> Tensor? {
    var initializer = ParameterInitializer(seed: 0)
    let x = sample([4, 32, 32, 32], &initializer)
    let time = initializer.normal([4, 128]).silu()
    let style = ResidualBlock.Style(timeWidth: 128)
    let byResidual = ["Resnet", "Skip"].contains { group.contains($0) }
    func down(_ kind: DownBlockKind) -> Tensor? {
      var picture = group.contains("Skip") ? sample([4, 3, 32, 32], &initializer) : x
      return DownBlock(
        kind, inputs: 32, outputs: 32, layers: 1, headWidth: 1,
        downsampling: byResidual ? .residual : .convolution, style: style,
        initializer: &initializer)(x, picture: &picture, time: time).last
    }
    func up(_ kind: UpBlockKind) -> Tensor? {
      var picture: Tensor?
      initializer = ParameterInitializer(seed: 1)
      var skips = [sample([4, 32, 32, 32], &initializer)]
      return UpBlock(
        kind, inputs: 32, previous: 32, outputs: 32, layers: 1, headWidth: 1,
        upsampling: byResidual ? .residual : .convolution, style: style,
        initializer: &initializer)(x, skips: &skips, picture: &picture, time: time)
    }
    switch group {
    case "DownBlock2DTests": return down(.plain)
    case "AttnDownBlock2DTests": return down(.attention)
    case "ResnetDownsampleBlock2DTests": return down(.residual)
    case "SkipDownBlock2DTests": return down(.skip)
    case "AttnSkipDownBlock2DTests": return down(.attentionSkip)
    case "SkipUpBlock2DTests": return up(.skip)
    case "AttnSkipUpBlock2DTests": return up(.attentionSkip)
    case "UpBlock2DTests": return up(.plain)
    case "AttnUpBlock2DTests": return up(.attention)
    case "ResnetUpsampleBlock2DTests": return up(.residual)
    case "UNetMidBlock2DTests":
      return MidBlock(
        channels: 32, headWidth: 1, attentionGroups: 32, style: style, initializer: &initializer)(
          x, time: time)
    default: return nil
    }
  }

  /// `torch.randn` of PyTorch's order of axes, channels moved last.
  private static func sample(_ shape: [Int], _ initializer: inout ParameterInitializer) -> Tensor {
    initializer.normal(shape).permuted([0, 2, 3, 1])
  }
}
