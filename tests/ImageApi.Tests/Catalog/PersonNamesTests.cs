using ImageApi.Catalog;

namespace ImageApi.Tests.Catalog;

public sealed class PersonNamesTests
{
    [Theory]
    [InlineData("Müller^Anna-Maria", " 1MULLER 2ANNA 2MARIA ")]
    [InlineData("Strauß", " 1STRAUSS ")]
    [InlineData("Ångström^Øyvind", " 1ANGSTROM 2OYVIND ")]
    [InlineData("Yamada^Tarou=山田^太郎", " 1YAMADA 2TAROU 1山田 2太郎 ")]
    [InlineData("^^^", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Words_FoldCaseAndAccents(string? name, string? expected) => Assert.Equal(expected, PersonNames.Words(name));

    [Theory]
    [InlineData("smith^john^^", "SMITH^JOHN")]
    [InlineData(" Smith ", "SMITH")]
    [InlineData("^", null)]
    public void Key_IsUpperCaseWithoutTrailingDelimiters(string name, string? expected) => Assert.Equal(expected, PersonNames.Key(name));
}
