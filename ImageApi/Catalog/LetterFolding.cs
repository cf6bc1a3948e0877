namespace ImageApi.Catalog;

/// <summary>
/// Letters without their accents, for the scripts whose letters have them: Latin, Greek, Cyrillic. The service runs without ICU data (invariant globalisation),
/// where <c>string.Normalize</c> leaves everything but ASCII as it is; so the decompositions that names need are listed here, from the Unicode data.
/// </summary>
internal static class LetterFolding
{
    /// <summary>The base letter in upper case; the character itself where it has none.</summary>
    public static char Fold(char c) => c switch
    {
        >= '\u00C0' and <= '\u024F' => Pick(Latin, c - 0xC0, c),
        >= '\u0370' and <= '\u03FF' => Pick(Greek, c - 0x370, c),
        >= '\u0400' and <= '\u04FF' => Pick(Cyrillic, c - 0x400, c),
        >= '\u1E00' and <= '\u1EFF' => Pick(LatinAdditional, c - 0x1E00, c),
        _ => char.ToUpperInvariant(c),
    };

    private static char Pick(string table, int index, char c) => table[index] == ' ' ? c : table[index];

    private const string Latin =
        "AAAAAAÆCEEEEIIIIÐNOOOOO×ØUUUUYÞßAAAAAAÆCEEEEIIIIÐNOOOOO÷ØUUUUYÞY" +
        "AAAAAACCCCCCCCDDĐĐEEEEEEEEEEGGGGGGGGHHĦĦIIIIIIIIIIĲĲJJKKĸLLLLLLĿ" +
        "ĿŁŁNNNNNNŉŊŊOOOOOOŒŒRRRRRRSSSSSSSSTTTTŦŦUUUUUUUUUUUUWWYYYZZZZZZS" +
        "ɃƁƂƂƄƄƆƇƇƉƊƋƋƍƎƏƐƑƑƓƔǶƖƗƘƘȽƛƜƝȠƟOOƢƢƤƤƦƧƧƩƪƫƬƬƮUUƱƲƳƳƵƵƷƸƸƺƻƼƼƾǷ" +
        "ǀǁǂǃǄǄǄǇǇǇǊǊǊAAIIOOUUUUUUUUUUƎAAAAÆÆǤǤGGKKOOOOƷƷJǱǱǱGGǶǷNNAAÆÆØØ" +
        "AAAAEEEEIIIIOOOORRRRUUUUSSTTȜȜHHȠȡȢȢȤȤAAEEOOOOOOOOYYȴȵȶȷȸȹȺȻȻȽȾⱾ" +
        "ⱿɁɁɃɄɅɆɆɈɈɊɊɌɌɎɎ";

    private const string Greek =
        "ͰͰͲͲʹ͵ͶͶ  ͺϽϾϿ;Ϳ    ΄¨Α·ΕΗΙ Ο ΥΩΙΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ ΣΤΥΦΧΨΩΙΥΑΕΗΙ" +
        "ΥΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΣΤΥΦΧΨΩΙΥΟΥΩϏΒΘϒϒϒΦΠϏϘϘϚϚϜϜϞϞϠϠϢϢϤϤϦϦϨϨϪϪϬϬϮϮ" +
        "ΚΡϹͿϴΕ϶ϷϷϹϺϺϼϽϾϿ";

    private const string Cyrillic =
        "ЕЕЂГЄЅІІЈЉЊЋКИУЏАБВГДЕЖЗИИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯАБВГДЕЖЗИИКЛМНОП" +
        "РСТУФХЦЧШЩЪЫЬЭЮЯЕЕЂГЄЅІІЈЉЊЋКИУЏѠѠѢѢѤѤѦѦѨѨѪѪѬѬѮѮѰѰѲѲѴѴѴѴѸѸѺѺѼѼѾѾ" +
        "ҀҀ҂       ҊҊҌҌҎҎҐҐҒҒҔҔҖҖҘҘҚҚҜҜҞҞҠҠҢҢҤҤҦҦҨҨҪҪҬҬҮҮҰҰҲҲҴҴҶҶҸҸҺҺҼҼҾҾ" +
        "ӀЖЖӃӃӅӅӇӇӉӉӋӋӍӍӀААААӔӔЕЕӘӘӘӘЖЖЗЗӠӠИИИИООӨӨӨӨЭЭУУУУУУЧЧӶӶЫЫӺӺӼӼӾӾ";

    private const string LatinAdditional =
        "AABBBBBBCCDDDDDDDDDDEEEEEEEEEEFFGGHHHHHHHHHHIIIIKKKKKKLLLLLLLLMM" +
        "MMMMNNNNNNNNOOOOOOOOPPPPRRRRRRRRSSSSSSSSSSTTTTTTTTUUUUUUUUUUVVVV" +
        "WWWWWWWWWWXXXXYYZZZZZZHTWYẚSẜẝẞẟAAAAAAAAAAAAAAAAAAAAAAAAEEEEEEEE" +
        "EEEEEEEEIIIIOOOOOOOOOOOOOOOOOOOOOOOOUUUUUUUUUUUUUUYYYYYYYYỺỺỼỼỾỾ";
}
