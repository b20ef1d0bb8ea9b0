import DiffusionImages

/// What a reader of the theory looks for, drawn by this engine: a plot or a sheet of pictures, and what is to be said of it.
public struct Illustration: Sendable {
  /// What is drawn.
  public enum Drawing: Sendable {
    /// An SVG document.
    case plot(String)
    /// Pictures in rows and columns.
    case pictures(PictureSheet)
  }

  /// What is drawn.
  public let drawing: Drawing
  /// Numbers that belong to it, a line each.
  public let notes: [String]

  /// Writes the file, whole or not at all: a plot as SVG; pictures as PNG, or with their words as SVG.
  ///
  /// - Returns: what a file without words needs to be understood, a line each.
  /// - Throws: `ImageError`.
  public func write(to path: String) throws(ImageError) -> [String] {
    switch drawing {
    case .plot(let document): try AtomicFile.write(document, to: path)
    case .pictures(let sheet):
      if path.lowercased().hasSuffix(".svg") {
        try AtomicFile.write(try sheet.svg(), to: path)
      } else {
        try sheet.image.writePNG(to: path)
        return sheet.legend + notes
      }
    }
    return notes
  }
}

/// The ideas that can be drawn.
public enum IllustrationSubject: String, Sendable, CaseIterable {
  /// The forward process, from data to noise.
  case forward
  /// The reverse process, from noise to data.
  case reverse
  /// DDPM beside DDIM at few steps.
  case ddim
  /// The score field, with paths of the ODE and of the SDE.
  case score
  /// Samplers against steps, ancestral ones beside plain ones.
  case samplers
  /// Conditional beside unconditional generation.
  case conditional
  /// Guidance of growing strength.
  case guidance
  /// Error against evaluations.
  case order

  /// How the names of files end that it can be written as.
  public var endings: [String] {
    self == .score || self == .order ? ["svg"] : ["png", "svg"]
  }
}
